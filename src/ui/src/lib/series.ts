/** Seconds of link load that the live charts show. */
export const SPAN_SECONDS = 600;

/**
 * Load of one link over time as parallel columns, oldest first: seconds since the epoch, load and load without our overrides, both as
 * ratios of capacity. The columns grow in place and are cut now and then: with 64 links, copying them with every state would be most of the page's work.
 */
export class Series {
  time: number[] = [];
  load: number[] = [];
  native: number[] = [];

  /** Adds a sample, unless it is not newer than the last one; forgets what is older than the span. */
  add(time: number, load: number, native: number): void {
    const last = this.time.at(-1);
    // An appliance whose clock was set back starts a new line: a chart's time must not go backwards.
    if (last !== undefined && time < last - 5) this.cut(this.time.length);
    else if (last !== undefined && time <= last) return;
    this.time.push(time);
    this.load.push(load);
    this.native.push(native);
    const old = this.time.findIndex((t) => t >= time - SPAN_SECONDS);
    if (old > 60 || (old > 0 && this.time.length > 4 * SPAN_SECONDS)) this.cut(old);
  }

  /** Puts samples before what there is, those that are newer or too old left out. They are in order of time. */
  before(past: readonly { time: number; load: number; native: number }[]): void {
    const first = this.time[0] ?? Infinity;
    const last = this.time.at(-1) ?? past.at(-1)?.time ?? 0;
    const older = past.filter((p) => p.time < first && p.time >= last - SPAN_SECONDS);
    this.time.unshift(...older.map((p) => p.time));
    this.load.unshift(...older.map((p) => p.load));
    this.native.unshift(...older.map((p) => p.native));
  }

  private cut(n: number): void {
    for (const column of [this.time, this.load, this.native]) column.splice(0, n);
  }
}

/** The latest values of many named things, for sparklines: a row that was not seen for a few polls is forgotten. */
export class Trails {
  private readonly trails = new Map<string, { values: number[]; poll: number }>();
  private poll = 0;

  constructor(
    private readonly length = 40,
    private readonly patience = 5,
  ) {}

  /** Takes one poll of all rows. */
  add(rows: Iterable<readonly [string, number]>): void {
    this.poll++;
    for (const [name, value] of rows) {
      const trail = this.trails.get(name) ?? { values: [], poll: 0 };
      trail.values.push(value);
      if (trail.values.length > this.length) trail.values.shift();
      trail.poll = this.poll;
      this.trails.set(name, trail);
    }
    for (const [name, trail] of this.trails) if (trail.poll < this.poll - this.patience) this.trails.delete(name);
  }

  get(name: string): readonly number[] {
    return this.trails.get(name)?.values ?? [];
  }

  get size(): number {
    return this.trails.size;
  }
}
