// The pages and their addresses. An address is a fragment, `#/prefixes?link=isp-a`, so that the appliance serves one file,
// a page can be bookmarked and the browser's back button works.

/** Every page in the order of the navigation: address, title, and the key that opens it after `g`. */
export const PAGES = [
  { id: 'overview', title: 'Overview', key: 'o' },
  { id: 'prefixes', title: 'Prefixes', key: 'p' },
  { id: 'matrix', title: 'Matrix', key: 'x' },
  { id: 'overrides', title: 'Overrides', key: 'r' },
  { id: 'decisions', title: 'Decisions', key: 'd' },
  { id: 'explain', title: 'Explain', key: 'e' },
  { id: 'bgp', title: 'BGP', key: 'b' },
  { id: 'capture', title: 'Capture', key: 'c' },
  { id: 'cost', title: 'Cost', key: 'k' },
  { id: 'site', title: 'Site', key: 'i' },
  { id: 'settings', title: 'Settings', key: 's' },
] as const;

export type PageId = (typeof PAGES)[number]['id'];

export interface Route {
  page: PageId;
  params: Record<string, string>;
}

/** Reads an address; what names no page is the overview. */
export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const page = PAGES.find((p) => p.id === path)?.id ?? 'overview';
  return { page, params: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a page; parameters without a value are left out. */
export function href(page: PageId, params: Record<string, string> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString();
  return `#/${page}${query && `?${query}`}`;
}

/** The address of a prefix's explanation. */
export function explain(prefix: string): string {
  return href('explain', { prefix });
}
