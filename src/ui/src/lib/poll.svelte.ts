import { ApiError, said } from './api';

/** Something asked for again and again while it is looked at, and what the last answer was. */
export class Poll<T> {
  data = $state.raw<T | null>(null);
  /** Why the last request failed, in words; empty if it did not. */
  error = $state('');
  /** The appliance has no such endpoint. */
  missing = $state(false);

  /** Asks now and then every so many seconds, except while the tab is hidden. Returns what ends it. For use in an effect. */
  run(ask: () => Promise<T>, seconds: number): () => void {
    let current = true;
    let timer = 0;
    const once = async (first: Promise<T> | null): Promise<void> => {
      if (first || !document.hidden) {
        try {
          const data = await (first ?? ask());
          if (!current) return;
          [this.data, this.error, this.missing] = [data, '', false];
        } catch (e) {
          if (!current) return;
          this.error = said(e);
          this.missing = e instanceof ApiError && e.status === 404;
        }
      }
      // What is not there does not come while the page is open.
      if (current && !this.missing) timer = setTimeout(() => void once(null), seconds * 1000);
    };
    void once(ask());
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }
}
