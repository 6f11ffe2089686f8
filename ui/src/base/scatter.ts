/** Geometry of a scatter: scales, ticks, the box that is drawn, and which points are where. No canvas, no framework. */

/** Points as columns of equal length; `x` and `y` may be large arrays from an answer. */
export interface Points {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/** Values from 0 to `max` over pixels from `from` to `to`; on the vertical axis `from` is the larger one. */
export interface Scale {
  max: number;
  from: number;
  to: number;
}

export const toPx = (scale: Scale, value: number) => scale.from + (value / scale.max) * (scale.to - scale.from);

export const toValue = (scale: Scale, px: number) => ((px - scale.from) / (scale.to - scale.from)) * scale.max;

/** Half-open ranges of both axes, in whole units; an axis that is not limited is null. */
export interface Box {
  x: Range | null;
  y: Range | null;
}

export interface Range {
  from: number;
  to: number;
}

/** Round numbers from 0 to `max`, about `count` of them. */
export function niceTicks(max: number, count: number): number[] {
  return ticks(max, niceStep(max / Math.max(1, count)));
}

const secondUs = 1e6;
/** Steps of clocks: what is round in minutes is not round in powers of ten. */
const clockSteps = [10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => s * secondUs);

/** Round durations in microseconds from 0 to `max`. */
export function durationTicks(max: number, count: number): number[] {
  const rough = max / Math.max(1, count);
  const step = rough <= 10 * secondUs ? niceStep(rough) : (clockSteps.find((s) => s >= rough) ?? niceStep(rough));
  return ticks(max, step);
}

function niceStep(rough: number): number {
  if (!(rough > 0) || !Number.isFinite(rough)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

function ticks(max: number, step: number): number[] {
  const out: number[] = [];
  // Multiplied, not added up, so that no error grows.
  for (let i = 0; i * step <= max * (1 + 1e-9) && i < 1000; i++) out.push(i * step);
  return out;
}

/** The largest value, with a little room above; 1 if there is none. */
export function axisEnd(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, values[i] ?? 0);
  return max > 0 ? max * 1.04 : 1;
}

interface Place {
  x: number;
  y: number;
}

/** The box between two corners in pixels, cut at the axes and widened to whole units; null if it is a mere click. */
export function boxBetween(a: Place, b: Place, x: Scale, y: Scale, axes: 'x' | 'xy'): Box | null {
  const leastPx = 4;
  const wide = Math.abs(a.x - b.x);
  const tall = Math.abs(a.y - b.y);
  if (axes === 'x' ? wide < leastPx : wide < leastPx || tall < leastPx) return null;
  return {
    x: rangeBetween(toValue(x, a.x), toValue(x, b.x), x.max),
    y: axes === 'x' ? null : rangeBetween(toValue(y, a.y), toValue(y, b.y), y.max),
  };
}

function rangeBetween(a: number, b: number, max: number): Range {
  // Finer than a pixel is not meant, and round numbers read better.
  const step = Math.max(1, 10 ** Math.floor(Math.log10(max / 1000)));
  const down = (value: number) => Math.floor(value / step) * step;
  const up = (value: number) => Math.ceil(value / step) * step;
  const from = Math.max(0, down(Math.min(a, b)));
  return { from, to: Math.max(Math.min(up(max), up(Math.max(a, b))), from + step) };
}

/** 1 for each point in the box, and how many there are. */
export function inside(points: Points, box: Box): { mask: Uint8Array; count: number } {
  const mask = new Uint8Array(points.x.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) {
    if (!holds(box.x, points.x[i] ?? 0) || !holds(box.y, points.y[i] ?? 0)) continue;
    mask[i] = 1;
    count++;
  }
  return { mask, count };
}

const holds = (range: Range | null, value: number) => range === null || (value >= range.from && value < range.to);

/** The point nearest to a place within some pixels, or −1. */
export function nearest(
  points: Points,
  at: Place,
  x: Scale,
  y: Scale,
  withinPx: number,
  shown: (i: number) => boolean,
): number {
  let best = -1;
  let bestSquare = withinPx * withinPx;
  for (let i = 0; i < points.x.length; i++) {
    const dx = toPx(x, points.x[i] ?? 0) - at.x;
    if (dx > withinPx || dx < -withinPx) continue;
    const dy = toPx(y, points.y[i] ?? 0) - at.y;
    const square = dx * dx + dy * dy;
    if (square > bestSquare || !shown(i)) continue;
    bestSquare = square;
    best = i;
  }
  return best;
}

export interface Density {
  columns: number;
  rows: number;
  /** Points in each cell, row by row from the top. */
  counts: Uint32Array;
  most: number;
}

/** How many points lie in each square cell of the plot; those above the axis count in the top row. */
export function density(points: Points, x: Scale, y: Scale, cellPx: number, shown: (i: number) => boolean): Density {
  const columns = Math.max(1, Math.ceil(Math.abs(x.to - x.from) / cellPx));
  const rows = Math.max(1, Math.ceil(Math.abs(y.to - y.from) / cellPx));
  const counts = new Uint32Array(columns * rows);
  const perX = Math.abs(x.to - x.from) / x.max / cellPx;
  const perY = Math.abs(y.to - y.from) / y.max / cellPx;
  const height = Math.abs(y.to - y.from) / cellPx;
  let most = 0;
  for (let i = 0; i < points.x.length; i++) {
    if (!shown(i)) continue;
    const column = Math.min(columns - 1, Math.max(0, Math.floor((points.x[i] ?? 0) * perX)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(height - (points.y[i] ?? 0) * perY)));
    const cell = row * columns + column;
    const n = (counts[cell] ?? 0) + 1;
    counts[cell] = n;
    if (n > most) most = n;
  }
  return { columns, rows, counts, most };
}
