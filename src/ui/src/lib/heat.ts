import type { Matrix, MatrixRow, Prefix } from './types';

/** How strong a cell is painted, 0 to 1, by its rate: a decade of rate is a third of the scale, so that small prefixes are seen beside the largest. */
export function strength(bps: number, largest: number): number {
  return bps > 0 && largest > 0 ? Math.min(1, Math.max(0.08, 1 + Math.log10(bps / largest) / 3)) : 0;
}

/** The link that an override sends the row's prefix by, or null: the one that carries most of it. */
export function overrideLink(row: MatrixRow): string | null {
  return row.override ? (row.cells.reduce((a, b) => (b.rate_bps > a.rate_bps ? b : a), row.cells[0]!)?.link ?? null) : null;
}

/** What the list of prefixes alone says of the matrix: the link in use and the native one. */
export function fromPrefixes(time: string, links: string[], prefixes: readonly Prefix[]): Matrix {
  return {
    time,
    links,
    rows: prefixes.map((p) => ({
      prefix: p.prefix,
      origin_as: p.origin_as,
      rate_bps: p.rate_bps,
      native_link: p.native_link,
      override: p.override,
      cells: [...new Set([p.link, p.native_link])].filter((l) => l !== null).map((link) => ({ link, rate_bps: link === p.link ? p.rate_bps : 0, path: true })),
    })),
  };
}

/** One line of the table beside the picture. */
export interface LinkSum {
  link: string;
  /** Prefixes seen on it, its rate, prefixes with a path by it, and those whose native link it is; overrides onto and off it. */
  seen: number;
  rate_bps: number;
  paths: number;
  native: number;
  on: number;
  off: number;
}

/** The matrix, summed by link. */
export function sums(matrix: Matrix): LinkSum[] {
  const of = new Map<string, LinkSum>(matrix.links.map((link) => [link, { link, seen: 0, rate_bps: 0, paths: 0, native: 0, on: 0, off: 0 }]));
  for (const row of matrix.rows) {
    for (const cell of row.cells) {
      const sum = of.get(cell.link);
      if (!sum) continue;
      sum.seen += cell.rate_bps > 0 ? 1 : 0;
      sum.rate_bps += cell.rate_bps;
      sum.paths += cell.path ? 1 : 0;
    }
    const native = row.native_link === null ? undefined : of.get(row.native_link);
    if (native) native.native++;
    const to = overrideLink(row);
    const on = to === null ? undefined : of.get(to);
    if (on) on.on++;
    if (on && native) native.off++;
  }
  return [...of.values()];
}
