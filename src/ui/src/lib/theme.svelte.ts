const KEY = 'egress-scheme';
export type Scheme = 'auto' | 'light' | 'dark';
const ORDER: Scheme[] = ['auto', 'light', 'dark'];

/** The colour scheme: the browser's, unless the operator chose one, which this browser remembers. */
class Theme {
  scheme = $state<Scheme>('auto');
  /** Grows when colours change: what is drawn on a canvas depends on it. */
  version = $state(0);
  private readonly probe = document.createElement('span');
  private readonly colors = new Map<string, string>();

  constructor() {
    const kept = localStorage.getItem(KEY) as Scheme | null;
    this.set(kept && ORDER.includes(kept) ? kept : 'auto');
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.changed());
  }

  set(scheme: Scheme): void {
    this.scheme = scheme;
    document.documentElement.dataset.scheme = scheme;
    if (scheme === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, scheme);
    this.changed();
  }

  next(): void {
    this.set(ORDER[(ORDER.indexOf(this.scheme) + 1) % ORDER.length]!);
  }

  /** A colour of the style sheet, by the name of its property, as canvases take it. */
  readonly color = (name: string): string => {
    void this.version;
    let color = this.colors.get(name);
    if (!color) {
      // Canvases take no custom properties: the browser resolves the one of the present scheme.
      if (!this.probe.isConnected) document.body.append(this.probe);
      this.probe.style.color = `var(${name})`;
      this.colors.set(name, (color = getComputedStyle(this.probe).color));
    }
    return color;
  };

  private changed(): void {
    this.colors.clear();
    this.version++;
  }
}

export const theme = new Theme();
