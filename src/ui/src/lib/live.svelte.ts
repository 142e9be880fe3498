import { api } from './api';
import type { Decision, StateEvent } from './types';

/** Seconds of link load that the charts show. */
export const SPAN_SECONDS = 600;
const DECISIONS = 300;

/** Load of one link over time, as parallel columns for the chart: seconds, actual, without us; both ratios of capacity. */
export interface Series {
  time: number[];
  load: number[];
  native: number[];
}

/** The appliance as it stands, fed by server-sent events; reconnects by itself. */
class Live {
  state = $state.raw<StateEvent | null>(null);
  connected = $state(false);
  decisions = $state.raw<Decision[]>([]);
  series = $state.raw<Record<string, Series>>({});

  start(): () => void {
    void this.fill();
    const source = new EventSource('/api/v1/events');
    source.onopen = () => {
      this.connected = true;
    };
    source.onerror = () => {
      this.connected = false;
    };
    source.addEventListener('state', (e) => this.take(JSON.parse((e as MessageEvent<string>).data) as StateEvent));
    return () => source.close();
  }

  private async fill(): Promise<void> {
    try {
      const past = await api.decisions(DECISIONS);
      const known = new Set(this.decisions.map((d) => d.id));
      this.decisions = [...this.decisions, ...past.filter((d) => !known.has(d.id))].slice(0, DECISIONS);
    } catch {
      // The event stream shows whether the appliance is there; past decisions are then simply not listed.
    }
  }

  private take(state: StateEvent): void {
    this.connected = true;
    this.state = state;
    if (state.decision && state.decision.id !== this.decisions[0]?.id) {
      // A restarted appliance counts its cycles from one again.
      const older = this.decisions.filter((d) => d.id < state.decision!.id);
      this.decisions = [state.decision, ...older].slice(0, DECISIONS);
    }
    const now = Date.parse(state.status.time) / 1000;
    const series: Record<string, Series> = {};
    for (const link of state.links) {
      const old = this.series[link.name] ?? { time: [], load: [], native: [] };
      const first = old.time.findIndex((t) => t > now - SPAN_SECONDS);
      const from = first < 0 ? old.time.length : first;
      const capacity = link.capacity_bps || 1;
      series[link.name] = {
        time: [...old.time.slice(from), now],
        load: [...old.load.slice(from), link.mirror_bps / capacity],
        native: [...old.native.slice(from), link.native_bps / capacity],
      };
    }
    this.series = series;
  }
}

export const live = new Live();
