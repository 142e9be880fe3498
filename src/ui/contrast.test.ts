import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

// WCAG 2.2, success criterion 1.4.3: text has a contrast of 4.5 against what it stands on.
const CSS = readFileSync(new URL('./src/app.css', import.meta.url), 'utf8');
const tokens = Object.fromEntries(
  [...CSS.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(([, name, light, dark]) => [name!, { light: light!, dark: dark! }]),
);
const TEXT = ['text', 'muted', 'accent', 'good', 'warn', 'bad'];
const GROUND = ['bg', 'panel', 'inset'];
const TINTS = ['accent', 'good', 'warn', 'bad'];
const PAIRS = [
  ...TEXT.flatMap((t) => GROUND.map((g) => [t, g] as const)),
  ...TINTS.flatMap((t) => [[t, `tint-${t}`] as const, ['text', `tint-${t}`] as const]),
  ['on-danger', 'danger'] as const,
];

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

it('reckons as the standard does', () => {
  expect(contrast('#ffffff', '#000000')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

describe.each(['light', 'dark'] as const)('%s', (scheme) => {
  it.each(PAIRS)('%s on %s', (text, ground) => expect(contrast(tokens[text]![scheme], tokens[ground]![scheme])).toBeGreaterThanOrEqual(4.5));
  // 1.4.11: what carries meaning without being text has 3.
  it.each(['fill', 'fill-warn', 'fill-bad', 'fill-good'])('%s on the panel', (name) => expect(contrast(tokens[name]![scheme], tokens.panel![scheme])).toBeGreaterThanOrEqual(3));
});

it('knows every colour that text has', () => {
  const used = [...CSS.matchAll(/(?<![-a-z])color: var\(--([a-z-]+)\)/g)].map(([, name]) => name!);
  expect(new Set(used).size).toBeGreaterThan(4);
  for (const name of used) expect([...TEXT, 'on-danger']).toContain(name);
});
