/** Which rows of a long list are to be drawn, and how high the rest is on either side, pixels. */
export interface Visible {
  first: number;
  last: number;
  above: number;
  below: number;
}

/** The rows that a viewport shows, with some to spare on either side. All heights in pixels; every row has the same height. */
export function visible(scrollTop: number, viewport: number, row: number, rows: number, spare = 8): Visible {
  const first = Math.max(0, Math.min(rows, Math.floor(scrollTop / row)) - spare);
  const last = Math.min(rows, Math.ceil((scrollTop + viewport) / row) + spare);
  return { first, last, above: first * row, below: (rows - last) * row };
}
