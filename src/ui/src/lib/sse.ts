// Server-sent events (WHATWG HTML, section 9.2) over fetch. The browser's EventSource cannot send the Authorization header that remote
// access asks for, and a token does not belong into an address.

export interface SseEvent {
  event: string;
  data: string;
}

/** Takes the text of a stream in any pieces and gives the events that are complete. */
export class SseParser {
  /** Milliseconds that the server asks to wait before a new connection, or null. */
  retry: number | null = null;
  private rest = '';
  private event = '';
  private data: string[] = [];
  private begun = false;

  push(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    let buffer = this.rest + text;
    if (!this.begun && buffer) {
      this.begun = true;
      if (buffer.startsWith('\uFEFF')) buffer = buffer.slice(1);
    }
    for (;;) {
      const end = buffer.search(/[\r\n]/);
      // A carriage return at the very end may be the first half of a line end.
      if (end < 0 || (buffer[end] === '\r' && end === buffer.length - 1)) break;
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + (buffer[end] === '\r' && buffer[end + 1] === '\n' ? 2 : 1));
      if (line) this.take(line);
      else this.dispatch(events);
    }
    this.rest = buffer;
    return events;
  }

  private take(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
  }

  private dispatch(events: SseEvent[]): void {
    if (this.data.length) events.push({ event: this.event || 'message', data: this.data.join('\n') });
    this.event = '';
    this.data = [];
  }
}

/** Milliseconds to wait before attempt `n` (from 0): doubling from one second to thirty, spread so that many tabs do not come at once. */
export function backoff(n: number, random = Math.random): number {
  return Math.min(30_000, 1000 * 2 ** Math.min(n, 5)) * (0.75 + 0.5 * random());
}
