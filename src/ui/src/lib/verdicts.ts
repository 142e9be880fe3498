import type { Decision } from './types';
import { rate, words } from './format';

/** How a verdict is to be taken: the colour of its tag and of its part of the time line. */
export type Tone = 'good' | 'accent' | 'warn' | 'bad' | 'muted';

const ACTING = /^(relieved|holding|following_policy|released|saving_cost|giving_back)$/;
const BAD = /^(no_capacity_anywhere|no_movable_prefix|invalid_snapshot|plan_rejected|withdrawn_route_feed_lost)$/;

/** Green: nothing to do. Blue: overrides do their work. Amber: less than it should be. Red: overload stays or a fault. Grey: no verdict on the load. */
export function tone(verdict: string): Tone {
  if (verdict === 'no_overload') return 'good';
  if (ACTING.test(verdict)) return 'accent';
  if (BAD.test(verdict)) return 'bad';
  return /^(starting|no_links|withdrawn_)/.test(verdict) ? 'muted' : 'warn';
}

/** Something that happened, for people. */
export interface Change {
  time: string;
  kind: 'moved' | 'released' | 'verdict' | 'mode';
  tone: Tone;
  prefix: string;
  text: string;
}

/** What changed lately, newest first, from decisions newest first: moves, releases, other verdicts, other modes. */
export function changes(decisions: readonly Decision[], limit: number): Change[] {
  const result: Change[] = [];
  for (const [i, d] of decisions.entries()) {
    if (result.length >= limit) break;
    const proposed = d.mode === 'observe' ? ' (proposed)' : '';
    const before = decisions[i + 1];
    for (const r of d.releases) {
      result.push({ time: d.time, kind: 'released', tone: 'muted', prefix: r.prefix, text: `${r.from}${r.to && ` → ${r.to}`} ${r.rate_bps ? rate(r.rate_bps) : ''}${proposed}` });
    }
    for (const m of d.moves) {
      result.push({ time: d.time, kind: 'moved', tone: 'accent', prefix: m.prefix, text: `${m.from} → ${m.to} ${rate(m.rate_bps)}${proposed}` });
    }
    if (before && before.mode !== d.mode) result.push({ time: d.time, kind: 'mode', tone: d.mode === 'inject' ? 'accent' : 'muted', prefix: '', text: d.mode });
    if (before && before.verdict !== d.verdict) result.push({ time: d.time, kind: 'verdict', tone: tone(d.verdict), prefix: '', text: words(d.verdict) });
  }
  return result.slice(0, limit);
}
