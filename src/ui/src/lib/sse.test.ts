import { describe, expect, it } from 'vitest';
import { backoff, SseParser } from './sse';

const STREAM = '\uFEFF: hello\r\nevent: state\r\ndata: {"a":1}\r\n\r\nevent: state\ndata: one\ndata: two\n\ndata:no space\r\rretry: 2500\nid: 7\nfield\nevent: empty\n\ndata\n\n';
const EVENTS = [
  { event: 'state', data: '{"a":1}' },
  { event: 'state', data: 'one\ntwo' },
  { event: 'message', data: 'no space' },
  { event: 'message', data: '' },
];

describe('SseParser', () => {
  it('reads a whole stream', () => {
    const parser = new SseParser();
    expect(parser.push(STREAM)).toEqual(EVENTS);
    expect(parser.retry).toBe(2500);
  });

  it('reads the same however the stream is cut', () => {
    for (let size = 1; size <= 7; size++) {
      const parser = new SseParser();
      const events = [];
      for (let i = 0; i < STREAM.length; i += size) events.push(...parser.push(STREAM.slice(i, i + size)));
      expect(events, `pieces of ${size}`).toEqual(EVENTS);
    }
  });

  it('keeps what is not complete', () => {
    const parser = new SseParser();
    expect(parser.push('data: a')).toEqual([]);
    expect(parser.push('bc\n')).toEqual([]);
    expect(parser.push('\n')).toEqual([{ event: 'message', data: 'abc' }]);
  });

  it('takes no retry that is not a number', () => {
    const parser = new SseParser();
    parser.push('retry: soon\n\n');
    expect(parser.retry).toBeNull();
  });
});

describe('backoff', () => {
  it('doubles to half a minute', () => expect([0, 1, 2, 3, 4, 5, 60].map((n) => backoff(n, () => 0.5))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]));
  it('is spread by a quarter either way', () => {
    expect(backoff(0, () => 0)).toBe(750);
    expect(backoff(0, () => 1)).toBe(1250);
  });
});
