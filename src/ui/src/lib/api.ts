import type { Cost, Decision, Explanation, Prefix, Problem } from './types';

/** Thrown with the appliance's own words when it refuses a request. */
export class ApiError extends Error {}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch {
    throw new ApiError('The appliance does not answer.');
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as Problem;
    throw new ApiError(problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

export const api = {
  prefixes: (top: number, link: string) =>
    call<Prefix[]>(`/prefixes?top=${top}${link ? `&link=${encodeURIComponent(link)}` : ''}`),
  decisions: (limit: number) => call<Decision[]>(`/decisions?limit=${limit}`),
  cost: () => call<Cost>('/cost'),
  explain: (query: string) => call<Explanation>(`/explain?prefix=${encodeURIComponent(query)}`),
  setMode: (mode: string) => call<{ mode: string }>('/mode', json('PUT', { mode })),
  release: (prefix: string) => call<void>(`/overrides?prefix=${encodeURIComponent(prefix)}`, { method: 'DELETE' }),
  withdrawAll: () => call<{ withdrawn: number }>('/withdraw-all', { method: 'POST' }),
};
