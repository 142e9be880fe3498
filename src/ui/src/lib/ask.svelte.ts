import { said } from './api';

/** A question before something that changes what routers do. */
export interface Question {
  title: string;
  /** What will happen. */
  text: string;
  /** What the button that does it says. */
  button: string;
  danger: boolean;
  /** Does it; words for the operator if there is more to say than that it is done. */
  run: () => Promise<unknown>;
}

/** The question on the screen: one at a time, asked once. */
class Ask {
  question = $state.raw<Question | null>(null);
  error = $state('');
  /** What the appliance says of what it has done; empty: nothing that does not show. */
  answer = $state('');
  busy = $state(false);

  open(question: Question): void {
    [this.question, this.error, this.answer] = [question, '', ''];
  }

  close(): void {
    this.question = null;
  }

  /** Does it; a refusal stays on the screen in the appliance's words. */
  async confirm(): Promise<void> {
    const asked = this.question;
    this.busy = true;
    this.error = '';
    try {
      const answer = await asked?.run();
      if (this.question !== asked) return;
      if (typeof answer === 'string' && answer) this.answer = answer;
      else this.close();
    } catch (e) {
      this.error = said(e);
    } finally {
      this.busy = false;
    }
  }
}

export const ask = new Ask();
