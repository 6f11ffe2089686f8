/** Time ranges as they stand in the URL: `now-15m`, ISO 8601 or milliseconds since the epoch. */

const unitMs: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

export const defaultFrom = 'now-1h';
export const defaultTo = 'now';

/** Presets of the time picker, as `from` values up to `now`. */
export const presets = ['now-5m', 'now-15m', 'now-1h', 'now-6h', 'now-24h', 'now-7d', 'now-30d'] as const;

/** The instant that an expression means, in milliseconds, or null if it means none. */
export function instantMs(expression: string, nowMs: number): number | null {
  const text = expression.trim();
  if (text === 'now') return nowMs;
  const relative = /^now-(\d{1,6})([smhdw])$/.exec(text);
  if (relative) return nowMs - Number(relative[1]) * (unitMs[relative[2] ?? ''] ?? 0);
  if (/^\d{10,16}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

export function isRelative(expression: string): boolean {
  return expression.startsWith('now');
}

/** Both ends if they are understood and in order, else null. */
export function rangeMs(from: string, to: string, nowMs: number): { from: number; to: number } | null {
  const a = instantMs(from, nowMs);
  const b = instantMs(to, nowMs);
  return a === null || b === null || a >= b ? null : { from: a, to: b };
}

/** `now-15m` as a count and a unit, for a label; null for anything else. */
export function relativeParts(from: string, to: string): { count: number; unit: 's' | 'm' | 'h' | 'd' | 'w' } | null {
  const match = to === 'now' ? /^now-(\d{1,6})([smhdw])$/.exec(from) : null;
  return match ? { count: Number(match[1]), unit: match[2] as 's' | 'm' | 'h' | 'd' | 'w' } : null;
}

/** The value of an `<input type="datetime-local">` for an instant, in the reader's time zone. */
export function toLocalInput(ms: number): string {
  const d = new Date(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
