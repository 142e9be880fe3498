import { api, ApiError, said, send } from './api';
import { merge } from './runs';
import { Series, SPAN_SECONDS } from './series';
import { backoff, SseParser } from './sse';
import type { Cost, Decision, StateEvent } from './types';

/** Decisions that the page remembers. */
export const DECISIONS = 1000;
/** Seconds without an event after which the connection is taken for dead; more than the longest cycle. */
const DEAD_SECONDS = 130;

/** The appliance as it stands, fed by server-sent events and shared by all pages; reconnects by itself. */
class Live {
  state = $state.raw<StateEvent | null>(null);
  connected = $state(false);
  /** Why there is no connection, in words; empty while there is one. */
  error = $state('');
  /** Seconds since the last event, when that is longer than cycles take; else 0. */
  late = $state(0);
  decisions = $state.raw<Decision[]>([]);
  cost = $state.raw<Cost | null>(null);
  /** Grows with every state: what draws from the series below depends on it. */
  tick = $state(0);
  readonly series = new Map<string, Series>();
  private last = 0;
  private recalled = false;
  private usual = 0;

  /** Follows the appliance until the returned function is called. */
  start(): () => void {
    const end = new AbortController();
    const watch = setInterval(() => this.watch(), 1000);
    void this.follow(end.signal);
    return () => {
      clearInterval(watch);
      end.abort();
    };
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const one = new AbortController();
      const dead = setInterval(() => this.last && performance.now() - this.last > 1000 * DEAD_SECONDS && one.abort(), 5000);
      const stop = (): void => one.abort();
      signal.addEventListener('abort', stop);
      const parser = new SseParser();
      try {
        const response = await send('/events', { signal: one.signal, headers: { Accept: 'text/event-stream' } });
        this.last = performance.now();
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          for (const { event, data } of parser.push(part.value)) if (event === 'state') this.take(JSON.parse(data) as StateEvent);
          attempt = 0;
        }
      } catch (e) {
        // Without a token nothing is tried again: signing in starts anew. Anything else is a connection that ended.
        if (e instanceof ApiError && e.status === 401) return;
        if (!signal.aborted) this.error = said(e);
      } finally {
        clearInterval(dead);
        signal.removeEventListener('abort', stop);
        this.connected = false;
      }
      if (!signal.aborted) await new Promise((wake) => setTimeout(wake, parser.retry ?? backoff(attempt)));
    }
  }

  private watch(): void {
    const silent = (performance.now() - this.last) / 1000;
    this.late = this.last && silent > Math.max(5, 3 * this.usual) ? Math.round(silent) : 0;
  }

  private async fill(limit: number): Promise<void> {
    try {
      this.decisions = merge(this.decisions, await api.decisions(limit), DECISIONS);
    } catch {
      // The event stream shows whether the appliance is there; past decisions are then simply not listed.
    }
  }

  /** Begins the live charts with what the history has of their span, minute by minute; without a history they begin empty. */
  private async recall(now: number): Promise<void> {
    try {
      const past = await api.history('', new Date(1000 * (now - SPAN_SECONDS)));
      for (const { link, points } of past.links) {
        const known = points.flatMap((p) =>
          p.capacity_bps && p.mirror_bps !== null
            ? [{ time: Date.parse(p.time) / 1000 + past.step_seconds / 2, load: p.mirror_bps / p.capacity_bps, native: (p.native_bps ?? p.mirror_bps) / p.capacity_bps }]
            : [],
        );
        this.series.get(link)?.before(known);
      }
      this.tick++;
    } catch {
      // They fill as time goes by.
    }
  }

  private take(state: StateEvent): void {
    const now = performance.now();
    if (!this.connected) void this.fill(DECISIONS);
    else this.usual = (now - this.last) / 1000;
    [this.last, this.late, this.error, this.connected, this.state] = [now, 0, '', true, state];
    if (state.decision && state.decision.id !== this.decisions[0]?.id) {
      // The stream gives the latest state: of two decisions shortly after one another, such as an operator's and a cycle's, it may leave out the first.
      const missed = state.decision.id - 1 - (this.decisions[0]?.id ?? state.decision.id);
      this.decisions = merge(this.decisions, [state.decision], DECISIONS);
      if (missed > 0 && this.connected) void this.fill(Math.min(DECISIONS, missed + 2));
    }
    const time = Date.parse(state.status.time) / 1000;
    for (const link of state.links) {
      let series = this.series.get(link.name);
      if (!series) this.series.set(link.name, (series = new Series()));
      const capacity = link.capacity_bps || Infinity;
      series.add(time, link.mirror_bps / capacity, link.native_bps / capacity);
    }
    if (!this.recalled) {
      this.recalled = true;
      void this.recall(time);
    }
    for (const name of this.series.keys()) if (!state.links.some((l) => l.name === name)) this.series.delete(name);
    this.tick++;
  }

  /** Keeps the billing months at hand while called in an effect. */
  followCost(): () => void {
    const ask = (): void => void api.cost().then((cost) => (this.cost = cost), () => {});
    ask();
    const timer = setInterval(ask, 60_000);
    return () => clearInterval(timer);
  }
}

export const live = new Live();
