import { expect, it } from 'vitest';
import { runs } from './runs';
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
