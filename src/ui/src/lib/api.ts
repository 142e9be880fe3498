import { access } from './access.svelte';
import { nextPage } from './filters';
import type { AuditEntry, Check, Cluster, ConfigInForce, Cost, Decision, Explanation, LinkHistory, Matrix, Prefix, Problem, Rib } from './types';

const ROOT = '/api/v1';

/** Thrown with the appliance's own words when it refuses a request. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 if there was no answer. */
    readonly status = 0,
  ) {
    super(message);
  }
}

/** What went wrong, as words for the page. */
export const said = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** Sends a request under `/api/v1` with the token, if there is one. An answer that is not a success is thrown. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (access.token) headers.set('Authorization', `Bearer ${access.token}`);
  let response: Response;
  try {
    response = await fetch(path.startsWith(ROOT) ? path : ROOT + path, { ...init, headers });
  } catch (e) {
    if (init.signal?.aborted) throw e;
    throw new ApiError('The appliance does not answer.');
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as Problem;
  const words = problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`;
  if (response.status === 401) access.refused(words);
  throw new ApiError(words, response.status);
}

const get = async <T>(path: string): Promise<T> => (await send(path)).json() as Promise<T>;
const json = (method: string, body: unknown): RequestInit => ({ method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
const query = (of: Record<string, string | number>): string =>
  `?${new URLSearchParams(Object.entries(of).filter(([, v]) => v !== '').map(([k, v]) => [k, String(v)]))}`;

/** A page of prefixes, and the address of the next one. */
export interface PrefixPage {
  rows: Prefix[];
  next: string | null;
}

export const api = {
  /** The first page of those that the parameters choose, or the page that an earlier one named. */
  async prefixes(of: { top: number; link?: string; as?: string; q?: string } | string): Promise<PrefixPage> {
    const response = await send(typeof of === 'string' ? of : `/prefixes${query(of)}`);
    return { rows: (await response.json()) as Prefix[], next: nextPage(response.headers.get('Link')) };
  },
  matrix: (top: number) => get<Matrix>(`/matrix?top=${top}`),
  decisions: (limit: number) => get<Decision[]>(`/decisions?limit=${limit}`),
  cost: () => get<Cost>('/cost'),
  cluster: () => get<Cluster>('/cluster'),
  explain: (prefix: string) => get<Explanation>(`/explain${query({ prefix })}`),
  rib: (prefix: string) => get<Rib>(`/bgp/rib${query({ prefix })}`),
  config: () => get<ConfigInForce>('/config'),
  check: async (yaml: string) =>
    (await send('/config/check', { method: 'POST', headers: { 'Content-Type': 'application/yaml' }, body: yaml })).json() as Promise<Check>,
  audit: (limit: number) => get<AuditEntry[]>(`/audit?limit=${limit}`),
  history: (link: string, from: Date) => get<LinkHistory>(`/history/links${query({ link, from: from.toISOString() })}`),
  setMode: (mode: string) => send('/mode', json('PUT', { mode })),
  addOverride: (prefix: string, link: string) => send('/overrides', json('POST', { prefix, link })),
  release: (prefix: string) => send(`/overrides${query({ prefix })}`, { method: 'DELETE' }),
  /** Who else was told, in words; empty if this box decides. */
  withdrawAll: async () => ((await (await send('/withdraw-all', { method: 'POST' })).json()) as { detail?: string }).detail ?? '',
  refresh: (router: string) => send(`/bgp/${encodeURIComponent(router)}/refresh`, { method: 'POST' }),
};
