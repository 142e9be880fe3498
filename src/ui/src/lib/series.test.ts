import { describe, expect, it } from 'vitest';
import { Series, SPAN_SECONDS, Trails } from './series';

describe('Series', () => {
  it('keeps the span and not much more', () => {
    const s = new Series();
    for (let t = 0; t < 5 * SPAN_SECONDS; t++) s.add(t, t, 2 * t);
    expect(s.time.length).toBeGreaterThanOrEqual(SPAN_SECONDS);
    expect(s.time.length).toBeLessThanOrEqual(SPAN_SECONDS + 62);
    expect(s.load).toEqual(s.time);
    expect(s.native).toEqual(s.time.map((t) => 2 * t));
  });

  it('takes no sample twice', () => {
    const s = new Series();
    for (const t of [1, 2, 2, 1.5, 3]) s.add(t, t, t);
    expect(s.time).toEqual([1, 2, 3]);
  });

  it('begins anew when the clock was set back', () => {
    const s = new Series();
    for (const t of [100, 101, 50, 51]) s.add(t, t, t);
    expect(s.time).toEqual([50, 51]);
  });

  it('takes the past before the first sample only, and not what is older than the span', () => {
    const s = new Series();
    for (const t of [1000, 1001]) s.add(t, t, 2 * t);
    s.before([100, 401, 402, 940, 1000, 1060].map((t) => ({ time: t, load: t, native: 2 * t })));
    expect(s.time).toEqual([401, 402, 940, 1000, 1001]);
    expect(s.load).toEqual(s.time);
    expect(s.native).toEqual(s.time.map((t) => 2 * t));
  });

  it('takes the past before there is any sample', () => {
    const s = new Series();
    s.before([{ time: 5, load: 1, native: 2 }]);
    s.add(6, 1, 2);
    expect(s.time).toEqual([5, 6]);
  });
});

describe('Trails', () => {
  it('keeps the latest values', () => {
    const t = new Trails(3);
    for (let i = 0; i < 5; i++) t.add([['a', i]]);
    expect(t.get('a')).toEqual([2, 3, 4]);
    expect(t.get('b')).toEqual([]);
  });

  it('forgets what is gone', () => {
    const t = new Trails(3, 2);
    t.add([['a', 1], ['b', 1]]);
    for (let i = 0; i < 3; i++) t.add([['b', 2]]);
    expect(t.size).toBe(1);
    expect(t.get('a')).toEqual([]);
  });
});
