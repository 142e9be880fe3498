const STEPS = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000];

/** Marks of a time axis: round times of the local clock between two instants, at most so many. Seconds since the epoch. */
export function timeTicks(from: number, to: number, most: number): { at: number; text: string }[] {
  if (!(to > from) || most < 1) return [];
  const step = STEPS.find((s) => (to - from) / s <= most) ?? STEPS.at(-1)!;
  const offset = 60 * new Date(1000 * from).getTimezoneOffset();
  const ticks = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
    const d = new Date(1000 * at);
    const text =
      step >= 86_400
        ? d.toLocaleDateString([], { day: 'numeric', month: 'short' })
        : d.toLocaleTimeString([], { hour12: false, hour: '2-digit', minute: '2-digit', ...(step < 60 ? { second: '2-digit' } : {}) });
    ticks.push({ at, text });
  }
  return ticks;
}

/** Marks of an axis of ratios from 0: every 20 %, or further apart where the largest is far above 1. */
export function ratioTicks(largest: number): number[] {
  const step = [0.2, 0.25, 0.5, 1, 2, 5, 10].find((s) => largest / s <= 7) ?? largest / 5;
  return Array.from({ length: Math.floor(largest / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** The sample nearest to a time, by halving; -1 without samples. */
export function nearest(time: readonly number[], at: number): number {
  let [low, high] = [0, time.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time[middle]! <= at) low = middle;
    else high = middle;
  }
  return high < 0 ? -1 : at - time[low]! <= time[high]! - at ? low : high;
}
