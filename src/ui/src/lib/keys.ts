import { PAGES, type PageId } from './router';

/** What a key asks for: a page, or something on the page. */
export type Wish = { go: PageId } | { do: 'help' | 'filter' | 'scheme' } | null;

/** Keys of two strokes, `g` and the page's letter, and of one. A second stroke counts within a second and a half. */
export class Keys {
  private since = -Infinity;

  /** Takes one stroke without modifiers, at a time in milliseconds. */
  press(key: string, now: number): Wish {
    const second = now - this.since < 1500;
    this.since = -Infinity;
    if (second) {
      const page = PAGES.find((p) => p.key === key);
      if (page) return { go: page.id };
    }
    if (key === 'g') this.since = now;
    else if (key === '?') return { do: 'help' };
    else if (key === '/') return { do: 'filter' };
    else if (key === 't') return { do: 'scheme' };
    return null;
  }
}
