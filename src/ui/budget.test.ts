import { expect, it } from 'vitest';
import { budget, BUDGET } from './budget';

/** What the plugin says of a bundle of one script with `bytes` that do not compress. */
function judge(bytes: number, limit?: number): string {
  let said = '';
  const context = {
    error: (text: string) => {
      throw new Error(text);
    },
    info: (text: string) => (said = text),
  };
  let code = '';
  for (let seed = 1; code.length < bytes; seed = (seed * 48_271) % 0x7fffffff) code += String.fromCharCode(33 + (seed % 94));
  const run = budget(limit).generateBundle as unknown as (this: typeof context, options: object, bundle: object) => void;
  run.call(context, {}, { 'a.js': { type: 'chunk', code }, 'a.css': { type: 'asset', source: code } });
  return said;
}

it('lets through what fits', () => expect(judge(10_000)).toContain(`of ${BUDGET} bytes`));
it('fails above the budget', () => expect(() => judge(10_000, 5000)).toThrow(/bytes \(gzip\); at most 5000 are allowed/));
it('allows 60 kB', () => expect(BUDGET).toBe(60_000));
