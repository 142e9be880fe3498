import type { Decision } from './types';

/** Consecutive decisions that say the same and change nothing, newest first; a decision that changes something stands alone. */
export interface Run {
  latest: Decision;
  since: string;
  count: number;
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
