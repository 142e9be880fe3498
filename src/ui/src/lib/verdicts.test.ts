import { describe, expect, it } from 'vitest';
import type { Decision, Move } from './types';
import { changes, tone } from './verdicts';

const move = (prefix: string): Move => ({ prefix, from: 'a', to: 'b', rate_bps: 2e6, reason: '' });
const decision = (id: number, verdict: string, more: Partial<Decision> = {}): Decision => ({
  id, time: `t${id}`, verdict, reason: '', mode: 'inject', moves: [], releases: [], kept: 0, overload_bps: 0, elapsed_ms: 0, ...more,
});

describe('changes', () => {
  it('tells moves, releases, other verdicts and other modes, newest first', () => {
    const told = changes(
      [
        decision(5, 'released', { releases: [{ ...move('p1'), from: 'b', to: 'a' }] }), decision(4, 'holding'), decision(3, 'relieved', { moves: [move('p1')] }),
        decision(2, 'no_overload'), decision(1, 'no_overload', { mode: 'observe' }),
      ],
      99,
    );
    expect(told.map((c) => `${c.time} ${c.kind} ${c.prefix} ${c.text}`)).toEqual([
      't5 released p1 b → a 2.00 Mbit/s', 't5 verdict  released', 't4 verdict  holding', 't3 moved p1 a → b 2.00 Mbit/s', 't3 verdict  relieved', 't2 mode  inject',
    ]);
  });
  it('says what was only proposed', () => expect(changes([decision(1, 'relieved', { mode: 'observe', moves: [move('p')] })], 9)[0]!.text).toContain('(proposed)'));
  it('stops at the limit', () => expect(changes([decision(1, 'relieved', { moves: Array.from({ length: 50 }, (_, i) => move(`p${i}`)) })], 7)).toHaveLength(7));
});

it('tells how a verdict is to be taken', () =>
  expect(['no_overload', 'relieved', 'capped', 'frozen_capture_loss', 'no_capacity_anywhere', 'withdrawn_route_feed_lost', 'withdrawn_by_operator', 'something_new'].map(tone)).toEqual([
    'good', 'accent', 'warn', 'warn', 'bad', 'bad', 'muted', 'warn',
  ]));
