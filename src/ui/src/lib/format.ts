const UNITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];

/** A rate with three significant digits: `9.42 Gbit/s`. */
export function rate(bps: number | null | undefined): string {
  if (bps === null || bps === undefined) return '–';
  let value = bps;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A ratio as a percentage; `–` where the whole is not known. */
export function percent(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(part / whole < 0.0995 ? 1 : 0)} %` : '–';
}

/** A share that may be small but must not look like none: `0`, `< 0.1 %`, `1.2 %`. */
export function share(ratio: number): string {
  return ratio === 0 ? '0' : ratio < 0.0005 ? '< 0.1 %' : `${(100 * ratio).toFixed(1)} %`;
}

/** A large count with narrow spaces that do not break: `12 345 678`. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Time since an instant: `3 s`, `4 min`, `2 h 5 min`, `3 d 4 h`. */
export function age(since: string, now: string): string {
  const s = Math.max(0, Math.round((Date.parse(now) - Date.parse(since)) / 1000));
  if (s < 90) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 90) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 48) return `${h} h ${min % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** Clock time, local, to the second. */
export function clock(time: string): string {
  return new Date(time).toLocaleTimeString([], { hour12: false });
}

/** A reason code as words: `no_overload` → `no overload`. */
export function words(code: string): string {
  return code.replaceAll('_', ' ');
}
