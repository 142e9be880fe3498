import { describe, expect, it } from 'vitest';
import { nearest, ratioTicks, timeTicks } from './ticks';

describe('ticks', () => {
  it.each([[600, 7], [86_400, 8], [2_592_000, 6]])('marks %d s with at most %d round times', (span, most) => {
    const from = 1_790_000_123;
    const ticks = timeTicks(from, from + span, most);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThanOrEqual(most + 1);
    for (const t of ticks) expect([t.at >= from, t.at <= from + span, t.text.length > 0]).toEqual([true, true, true]);
  });
  it('marks nothing on an empty axis', () => expect(timeTicks(5, 5, 8)).toEqual([]));
  it('marks ratios', () => {
    expect(ratioTicks(1.05).map((v) => Math.round(100 * v))).toEqual([0, 20, 40, 60, 80, 100]);
    expect(ratioTicks(3).length).toBeLessThanOrEqual(8);
  });
  it('finds the nearest sample', () => {
    expect([0, 14, 16, 31, 99].map((t) => nearest([10, 20, 30], t))).toEqual([0, 0, 1, 2, 2]);
    expect(nearest([], 5)).toBe(-1);
    expect(nearest([10], 5)).toBe(0);
  });
});
