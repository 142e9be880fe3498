import { describe, expect, it } from 'vitest';
import { explain, href, PAGES, parse } from './router';

describe('parse', () => {
  it.each([
    ['', 'overview', {}],
    ['#/', 'overview', {}],
    ['#/prefixes', 'prefixes', {}],
    ['#/prefixes?link=isp-a&q=10.0', 'prefixes', { link: 'isp-a', q: '10.0' }],
    ['#/nowhere?x=1', 'overview', { x: '1' }],
    ['#/explain?prefix=2001%3Adb8%3A%3A%2F32', 'explain', { prefix: '2001:db8::/32' }],
    ['#/explain?prefix=a?b', 'explain', { prefix: 'a' }],
  ])('%s', (hash, page, params) => expect(parse(hash)).toEqual({ page, params }));
});

it('leaves out parameters without a value', () => expect(href('prefixes', { link: '', q: 'x y' })).toBe('#/prefixes?q=x+y'));
it('reads every address that it makes', () => {
  for (const { id } of PAGES) expect(parse(href(id, { a: 'ä&=?#/' }))).toEqual({ page: id, params: { a: 'ä&=?#/' } });
  expect(parse(explain('2001:db8::/32')).params.prefix).toBe('2001:db8::/32');
});
it('has one key a page', () => expect(new Set(PAGES.map((p) => p.key)).size).toBe(PAGES.length));
