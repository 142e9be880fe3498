import { describe, expect, it } from 'vitest';
import { fromPrefixes, overrideLink, strength, sums } from './heat';
import { Keys } from './keys';
import { nearest, ratioTicks, timeTicks } from './ticks';
import type { Decision, Move } from './types';
import { changes, tone } from './verdicts';
import { visible } from './window';

describe('visible', () => {
  it('covers the viewport and keeps the height of all', () => {
    for (const top of [0, 17, 4999, 299_000, 1e9]) {
      const v = visible(top, 600, 30, 10_000);
      expect(v.above + 30 * (v.last - v.first) + v.below).toBe(300_000);
      expect(v.last - v.first).toBeLessThanOrEqual(600 / 30 + 1 + 16);
      if (top <= 299_400) expect([30 * v.first <= top, 30 * v.last >= top + 600 || v.last === 10_000]).toEqual([true, true]);
    }
  });
  it('knows short lists', () => expect(visible(0, 600, 30, 3)).toEqual({ first: 0, last: 3, above: 0, below: 0 }));
});

describe('Keys', () => {
  it('opens a page by two strokes', () => {
    const keys = new Keys();
    expect(keys.press('g', 0)).toBeNull();
    expect(keys.press('p', 1000)).toEqual({ go: 'prefixes' });
    expect(keys.press('p', 1100)).toBeNull();
  });
  it('forgets the first stroke after a while, and by another key', () => {
    const keys = new Keys();
    keys.press('g', 0);
    expect(keys.press('o', 1600)).toBeNull();
    keys.press('g', 2000);
    keys.press('z', 2100);
    expect(keys.press('o', 2200)).toBeNull();
  });
  it('knows the keys of one stroke', () => {
    const keys = new Keys();
    expect(['?', '/', 't', 'x'].map((k, i) => keys.press(k, i))).toEqual([{ do: 'help' }, { do: 'filter' }, { do: 'scheme' }, null]);
  });
});

const move = (prefix: string): Move => ({ prefix, from: 'a', to: 'b', rate_bps: 2e6, reason: '' });
const decision = (id: number, verdict: string, more: Partial<Decision> = {}): Decision => ({
  id, time: `t${id}`, verdict, reason: '', mode: 'inject', moves: [], releases: [], kept: 0, overload_bps: 0, elapsed_ms: 0, ...more,
});

describe('changes', () => {
  it('tells moves, releases, other verdicts and other modes, newest first', () => {
    const told = changes(
      [
        decision(5, 'released', { releases: [{ ...move('p1'), from: 'b', to: 'a' }] }), decision(4, 'holding'), decision(3, 'relieved', { moves: [move('p1')] }),
        decision(2, 'no_overload'), decision(1, 'no_overload', { mode: 'observe' }),
      ],
      99,
    );
    expect(told.map((c) => `${c.time} ${c.kind} ${c.prefix} ${c.text}`)).toEqual([
      't5 released p1 b → a 2.00 Mbit/s', 't5 verdict  released', 't4 verdict  holding', 't3 moved p1 a → b 2.00 Mbit/s', 't3 verdict  relieved', 't2 mode  inject',
    ]);
  });
  it('says what was only proposed', () => expect(changes([decision(1, 'relieved', { mode: 'observe', moves: [move('p')] })], 9)[0]!.text).toContain('(proposed)'));
  it('stops at the limit', () => expect(changes([decision(1, 'relieved', { moves: Array.from({ length: 50 }, (_, i) => move(`p${i}`)) })], 7)).toHaveLength(7));
});

it('tells how a verdict is to be taken', () =>
  expect(['no_overload', 'relieved', 'capped', 'frozen_capture_loss', 'no_capacity_anywhere', 'withdrawn_route_feed_lost', 'withdrawn_by_operator', 'something_new'].map(tone)).toEqual([
    'good', 'accent', 'warn', 'warn', 'bad', 'bad', 'muted', 'warn',
  ]));

describe('heat', () => {
  it('is strongest for the largest and still seen for small ones', () => {
    expect([0, 1000, 100, 1].map((v) => strength(v, 1000))).toEqual([0, 1, expect.closeTo(2 / 3), 0.08]);
    expect(strength(1, 0)).toBe(0);
  });
  const prefixes = [
    { prefix: '10.0.0.0/8', link: 'b', native_link: 'a', rate_bps: 7, packets_per_second: 1, origin_as: 1, override: true, mean_bps: 7, error_ratio: 0 },
    { prefix: '11.0.0.0/8', link: 'a', native_link: 'a', rate_bps: 3, packets_per_second: 1, origin_as: 1, override: false, mean_bps: 3, error_ratio: 0 },
  ];
  it('is made of the list of prefixes where there is no matrix', () => {
    const m = fromPrefixes('t', ['a', 'b'], prefixes);
    expect(m.rows[0]!.cells).toEqual([{ link: 'b', rate_bps: 7, path: true }, { link: 'a', rate_bps: 0, path: true }]);
    expect(m.rows.map(overrideLink)).toEqual(['b', null]);
    expect(sums(m)).toEqual([
      { link: 'a', seen: 1, rate_bps: 3, paths: 2, native: 2, on: 0, off: 1 },
      { link: 'b', seen: 1, rate_bps: 7, paths: 1, native: 0, on: 1, off: 0 },
    ]);
  });
  it('finds the link of an override that is only said to be there', () =>
    expect(overrideLink({ ...fromPrefixes('t', ['a', 'b'], prefixes).rows[0]!, override: true })).toBe('b'));
});

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
