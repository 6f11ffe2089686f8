/** The points of an answer and their lines, in the shape that the plots take. */

import type { Per100Tokens, TokenFit, TokenPoints } from '../../api/types';
import type { Box, Points } from '../../base/scatter';
import type { View } from '../../base/view';
import type { Line } from '../../components/scatterdraw';

/** Tokens against duration in microseconds. */
export function durationPoints(points: TokenPoints): Points {
  return { x: points.tokens, y: points.duration_us };
}

/** Tokens against microseconds for 100 tokens; answers without tokens stand at zero. */
export function per100Points(points: TokenPoints): Points {
  const y = new Float64Array(points.tokens.length);
  for (let i = 0; i < y.length; i++) {
    const tokens = points.tokens[i] ?? 0;
    y[i] = tokens > 0 ? ((points.duration_us[i] ?? 0) * 100) / tokens : 0;
  }
  return { x: points.tokens, y };
}

/** A line for each model that has one; for points of a single sort, the line of all. */
export function fitLines(fits: readonly TokenFit[], models: readonly string[]): Line[] {
  const own = fits.filter((f) => f.model !== null && f.model !== undefined && models.includes(f.model));
  const drawn = own.length > 0 ? own : fits.filter((f) => f.model === null || f.model === undefined);
  return drawn.map((fit) => ({
    group: fit.model ? models.indexOf(fit.model) : -1,
    points: fit.band.map((b) => ({
      x: b.tokens,
      low: Math.max(0, b.low_us),
      mid: Math.max(0, b.fit_us),
      high: Math.max(0, b.high_us),
    })),
  }));
}

/** The median of each range of lengths, with 10th and 90th percentile. */
export function per100Line(ranges: readonly Per100Tokens[]): Line[] {
  const points = ranges
    .filter((r) => r.count > 0)
    .map((r) => ({ x: (r.from_tokens + r.to_tokens) / 2, low: r.p10_us, mid: r.p50_us, high: r.p90_us }));
  return points.length > 0 ? [{ group: -2, points }] : [];
}

/**
 * Upper end of the axis of durations per 100 tokens. An answer of one token has its whole wait for it, a hundredfold; such
 * points must not press the others flat.
 */
export function per100End(y: ArrayLike<number>, ranges: readonly Per100Tokens[]): number {
  let most = 0;
  for (let i = 0; i < y.length; i++) most = Math.max(most, y[i] ?? 0);
  const usual = ranges.map((r) => r.p90_us).sort((a, b) => a - b);
  const typical = usual[Math.floor((usual.length - 1) / 2)] ?? most;
  return Math.max(1, Math.min(most * 1.04, typical * 3));
}

/** The box of the URL. */
export function boxOf({
  min,
  max,
  tmin,
  tmax,
}: { [K in 'min' | 'max' | 'tmin' | 'tmax']?: View[K] | undefined }): Box | null {
  const x = tmin !== undefined && tmax !== undefined ? { from: tmin, to: tmax } : null;
  const y = min !== undefined && max !== undefined ? { from: min, to: max } : null;
  return x || y ? { x, y } : null;
}

/** The URL's words for a box. */
export function boxView(box: Box | null): Record<'min' | 'max' | 'tmin' | 'tmax', number | undefined> {
  return { min: box?.y?.from, max: box?.y?.to, tmin: box?.x?.from, tmax: box?.x?.to };
}

export function extent(values: readonly number[]): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min: Number.isFinite(min) ? min : 0, max };
}
