import type { Decision } from './types';

/** Consecutive decisions that say the same and change nothing, newest first; a decision that changes something stands alone. */
export interface Run {
  latest: Decision;
  since: string;
  count: number;
}

/** Decisions of two sources as one list, newest first. A restarted appliance counts from one again: what was known from there on is forgotten. */
export function merge(known: readonly Decision[], news: readonly Decision[], limit: number): Decision[] {
  const fresh = new Set(news.map((d) => d.id));
  const newest = news.reduce<Decision | null>((a, d) => (a && a.time > d.time ? a : d), null);
  const stays = known.filter((d) => !fresh.has(d.id) && (!newest || d.id < newest.id || d.time > newest.time));
  return [...news, ...stays].sort((a, b) => b.id - a.id).slice(0, limit);
}

/** Folds decisions (newest first) into runs. */
export function runs(decisions: Decision[]): Run[] {
  const result: Run[] = [];
  for (const decision of decisions) {
    const last = result.at(-1);
    if (last && quiet(decision) && quiet(last.latest) && decision.verdict === last.latest.verdict && decision.mode === last.latest.mode) {
      last.since = decision.time;
      last.count++;
    } else {
      result.push({ latest: decision, since: decision.time, count: 1 });
    }
  }
  return result;
}

function quiet(decision: Decision): boolean {
  return decision.moves.length + decision.releases.length === 0;
}
