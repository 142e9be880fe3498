import { describe, expect, it } from 'vitest';
import { age, count, percent, rate, share, words } from './format';

describe('rate', () => {
  it.each([
    [0, '0 bit/s'],
    [999, '999 bit/s'],
    [1000, '1.00 kbit/s'],
    [9_421_000_000, '9.42 Gbit/s'],
    [42_100_000, '42.1 Mbit/s'],
    [999_600_000, '1.00 Gbit/s'],
  ])('%d → %s', (bps, text) => expect(rate(bps)).toBe(text));
  it('shows unknown as a dash', () => expect(rate(null)).toBe('–'));
});

describe('percent', () => {
  it('has a decimal only below ten', () => {
    expect(percent(5, 100)).toBe('5.0 %');
    expect(percent(95, 100)).toBe('95 %');
  });
  it('knows no share of an unknown whole', () => expect(percent(5, 0)).toBe('–'));
});

describe('share', () => {
  it.each([
    [0, '0'],
    [0.000001, '< 0.1 %'],
    [0.0123, '1.2 %'],
    [1, '100.0 %'],
  ])('%d → %s', (ratio, text) => expect(share(ratio)).toBe(text));
});

describe('age', () => {
  const t = '2026-01-01T00:00:00Z';
  it.each([
    ['2026-01-01T00:00:03Z', '3 s'],
    ['2026-01-01T00:04:00Z', '4 min'],
    ['2026-01-01T02:05:00Z', '2 h 5 min'],
    ['2026-01-04T04:00:00Z', '3 d 4 h'],
  ])('%s → %s', (now, text) => expect(age(t, now)).toBe(text));
});

it('groups thousands', () => expect(count(12345678)).toBe('12\u202f345\u202f678'));
it('reads codes as words', () => expect(words('no_overload')).toBe('no overload'));
