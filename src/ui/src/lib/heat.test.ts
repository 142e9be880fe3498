import { describe, expect, it } from 'vitest';
import { fromPrefixes, overrideLink, strength, sums } from './heat';

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
  it('knows no link of an override without cells', () => expect(overrideLink({ ...fromPrefixes('t', ['a', 'b'], prefixes).rows[0]!, cells: [] })).toBeNull());
});
