import { describe, expect, it } from 'vitest';
import { Keys } from './keys';

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
