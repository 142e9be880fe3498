import { describe, expect, it } from 'vitest';
import { bits, matcher, nextPage } from './filters';
import type { Prefix } from './types';

const row = (prefix: string, link = 'isp-a', origin_as = 64500, native_link = link): Prefix => ({
  prefix, link, native_link, origin_as, rate_bps: 1, packets_per_second: 1, override: false, mean_bps: 1, error_ratio: 0,
});

describe('bits', () => {
  it.each([
    ['128.0.0.0/1', '41'],
    ['10.0.0.0/8', '400001010'],
    ['::/0', '6'],
    ['8000::/1', '61'],
    ['2001:db8::/32', '600100000000000010000110110111000'],
  ])('%s', (text, expected) => expect(bits(text)).toBe(expected));
  it('has all bits of an address', () => {
    expect(bits('10.0.0.1')).toHaveLength(33);
    expect(bits('2001:db8::1')).toHaveLength(129);
    expect(bits('1:2:3:4:5:6:7:8')).toHaveLength(129);
  });
  it.each(['', '10', '10.0.0', '10.0.0.256', '10.0.0.0/33', '10.0.0.0/', '1:2:3', '1::2::3', 'g::', '::/129', 'isp-a'])('is nothing for %j', (text) => expect(bits(text)).toBeNull());
});

describe('matcher', () => {
  const match = (q: string, prefix: string, more = {}) => matcher({ link: '', as: '', q, ...more })(row(prefix));
  it.each([
    ['', '10.0.0.0/8', true],
    ['0.0.0', '10.0.0.0/8', true],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.0.0.0/7', '10.0.0.0/8', true],
    ['2001:DB8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    [' 10.1 ', '10.1.0.0/16', true],
  ])('%s in %s', (q, prefix, expected) => expect(match(q, prefix)).toBe(expected));
  it('takes an AS as people write it', () => {
    expect(match('', '10.0.0.0/8', { as: 'AS64500' })).toBe(true);
    expect(match('', '10.0.0.0/8', { as: '6450' })).toBe(false);
  });
  it('takes the link in use or the native one', () => {
    const test = matcher({ link: 'isp-b', as: '', q: '' });
    expect([row('10.0.0.0/8', 'isp-a'), row('10.0.0.0/8', 'isp-b'), row('10.0.0.0/8', 'isp-a', 1, 'isp-b')].map(test)).toEqual([false, true, true]);
  });
});

describe('nextPage', () => {
  it.each([
    [null, null],
    ['', null],
    ['</a?b=1>; rel="next"', '/a?b=1'],
    ['</p>; rel="prev"; title="a, <b>; rel=next", </n?x=1,2>; rel=next', '/n?x=1,2'],
    ['</p>; rel="prev", </n>; rel=next', '/n'],
    ['</n>; title="x"; rel="first next"', '/n'],
    ['</n>; rel="nextish"', null],
  ])('%j', (header, expected) => expect(nextPage(header)).toBe(expected));
});
