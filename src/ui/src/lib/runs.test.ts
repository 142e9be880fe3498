import { expect, it } from 'vitest';
import { merge, runs } from './runs';
import type { Decision, Move } from './types';

const move: Move = { prefix: '192.0.2.0/24', from: 'a', to: 'b', rate_bps: 1, reason: '' };
const decision = (id: number, verdict: string, moves: Move[] = []): Decision => ({
  id, time: `t${id}`, verdict, reason: '', mode: 'inject', moves, releases: [], kept: 0, overload_bps: 0, elapsed_ms: 0,
});

it('folds what repeats and changes nothing', () => {
  const folded = runs([decision(5, 'holding'), decision(4, 'holding'), decision(3, 'relieved', [move]), decision(2, 'no_overload')]);
  expect(folded.map((r) => [r.latest.id, r.since, r.count])).toEqual([[5, 't4', 2], [3, 't3', 1], [2, 't2', 1]]);
});

it('never folds decisions that changed something', () =>
  expect(runs([decision(2, 'relieved', [move]), decision(1, 'relieved', [move])])).toHaveLength(2));

it('keeps the modes apart', () =>
  expect(runs([decision(2, 'holding'), { ...decision(1, 'holding'), mode: 'observe' }])).toHaveLength(2));

it('merges the stream with what was asked for', () => {
  const of = (...ids: number[]) => ids.map((id) => ({ ...decision(id, 'holding'), time: `2026-01-01T00:00:${String(id).padStart(2, '0')}Z` }));
  const ids = (list: { id: number }[]) => list.map((d) => d.id);
  expect(ids(merge(of(5), of(4, 3), 9))).toEqual([5, 4, 3]);
  expect(ids(merge(of(7, 5), of(7, 6, 5), 9))).toEqual([7, 6, 5]);
  expect(ids(merge(of(8, 7, 6), of(9), 3))).toEqual([9, 8, 7]);
});

it('forgets the cycles of before a restart', () => {
  const at = (id: number, time: string) => ({ ...decision(id, 'holding'), time });
  const known = [at(900, '2026-01-01T10:00:00Z'), at(899, '2026-01-01T09:59:00Z'), at(1, '2026-01-01T08:00:00Z')];
  expect(merge(known, [at(2, '2026-01-01T10:01:00Z')], 9).map((d) => d.id)).toEqual([2, 1]);
});
