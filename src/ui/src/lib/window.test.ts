import { describe, expect, it } from 'vitest';
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
