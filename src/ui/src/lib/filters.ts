import type { Prefix } from './types';

/** The bits of an address or prefix as text of 0 and 1, behind its family; null for what is neither. */
export function bits(text: string): string | null {
  const [address = '', length] = text.split('/', 2);
  let groups: number[];
  let width: number;
  if (address.includes(':')) {
    const [head = '', tail, more] = address.split('::');
    if (more !== undefined) return null;
    const left = head ? head.split(':') : [];
    const right = tail ? tail.split(':') : [];
    const gap = tail === undefined ? 0 : 8 - left.length - right.length;
    const all = [...left, ...Array<string>(Math.max(0, gap)).fill('0'), ...right];
    if (all.length !== 8 || all.some((g) => !/^[0-9a-f]{1,4}$/i.test(g))) return null;
    [groups, width] = [all.map((g) => parseInt(g, 16)), 16];
  } else {
    if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return null;
    [groups, width] = [address.split('.').map(Number), 8];
    if (groups.some((g) => g > 255)) return null;
  }
  const all = groups.map((g) => g.toString(2).padStart(width, '0')).join('');
  const n = length === undefined ? all.length : /^\d{1,3}$/.test(length) ? Number(length) : Infinity;
  return n > all.length ? null : (width === 8 ? '4' : '6') + all.slice(0, n);
}

export interface PrefixFilter {
  link: string;
  as: string;
  q: string;
}

/**
 * A test of rows by link (seen or native), origin AS, and text: part of the prefix as it is written, or an address or prefix that contains it or is contained in it.
 * An appliance that filters by itself gives the same rows; one that does not is helped out.
 */
export function matcher({ link, as, q }: PrefixFilter): (row: Prefix) => boolean {
  const number = as.replace(/^as/i, '').trim();
  const text = q.trim().toLowerCase();
  const wanted = bits(text);
  return (row) => {
    if (link && row.link !== link && row.native_link !== link) return false;
    if (number && String(row.origin_as) !== number) return false;
    if (!text || row.prefix.includes(text)) return true;
    const own = wanted && bits(row.prefix);
    return !!own && !!wanted && (own.startsWith(wanted) || wanted.startsWith(own));
  };
}

/** The address of the next page in a Link header (RFC 8288), or null. */
export function nextPage(header: string | null): string | null {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:"[^"]*"|[^,"])*)/g)) {
    const [, quoted, bare] = /;\s*rel=(?:"([^"]*)"|([^\s;]+))/i.exec(parameters!) ?? [];
    if ((quoted ?? bare ?? '').toLowerCase().split(/\s+/).includes('next')) return target!;
  }
  return null;
}
