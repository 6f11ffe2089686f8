/** Draws a scatter. Points are stamped from a small picture for each group; very many of them become a density. */

import { type Box, density, type Points, type Scale, toPx } from '../base/scatter';
import { pixelRatio } from './canvas';
import { token } from './theme';

/** Colours of groups (checked for colour-blind readers) and their shapes, so that neither stands alone. */
export const groupColors = ['kind-http', 'kind-retrieval', 'kind-tool', 'kind-db', 'kind-llm', 'kind-other'] as const;
export const restColor = 'service-1';

export const groupColor = (group: number) => groupColors[group] ?? restColor;

/** A line through the points, with the band that it may lie in. */
export interface Line {
  group: number;
  points: readonly { x: number; low: number; mid: number; high: number }[];
}

export interface Picture {
  points: Points;
  group: ArrayLike<number>;
  failed: readonly boolean[];
  hidden: ReadonlySet<number>;
  /** 1 for each selected point; null if nothing is selected. */
  mask: Uint8Array | null;
  lines: readonly Line[];
  x: Scale;
  y: Scale;
  xTicks: readonly number[];
  yTicks: readonly number[];
  xText: (value: number) => string;
  yText: (value: number) => string;
}

export const densityFrom = 20_000;
const cellPx = 4;
const faded = 0.16;
const size = 4;
/** Stamps on one pixel, of whatever group: enough for a colour to show and for points of another to show through. */
const stampsMax = 3;

export function drawPicture(ctx: CanvasRenderingContext2D, picture: Picture): void {
  drawAxes(ctx, picture);
  ctx.save();
  ctx.beginPath();
  ctx.rect(
    picture.x.from - 5,
    picture.y.to - 6,
    picture.x.to - picture.x.from + 10,
    picture.y.from - picture.y.to + 11,
  );
  ctx.clip();
  for (const line of picture.lines) drawBand(ctx, picture, line);
  const dense = picture.points.x.length > densityFrom;
  if (dense) drawDensity(ctx, picture);
  drawStamps(ctx, picture, dense ? [true] : [false, true]);
  for (const line of picture.lines) drawLine(ctx, picture, line);
  ctx.restore();
}

function drawAxes(ctx: CanvasRenderingContext2D, { x, y, xTicks, yTicks, xText, yText }: Picture): void {
  const soft = token('line-soft');
  const dim = token('text-dim');
  ctx.textAlign = 'right';
  for (const value of yTicks) {
    const at = Math.round(toPx(y, value));
    ctx.fillStyle = soft;
    ctx.fillRect(x.from, at, x.to - x.from, 1);
    ctx.fillStyle = dim;
    ctx.fillText(value === 0 ? '0' : yText(value), x.from - 8, at);
  }
  ctx.textAlign = 'center';
  for (const value of xTicks) {
    const at = Math.round(toPx(x, value));
    ctx.fillStyle = soft;
    ctx.fillRect(at, y.to, 1, y.from - y.to);
    ctx.fillStyle = dim;
    ctx.fillText(xText(value), at, y.from + 13);
  }
  ctx.fillStyle = token('line');
  ctx.fillRect(x.from, y.from, x.to - x.from, 1);
}

/** One marker, drawn once; stamping it is many times faster than a path for each point. */
function stamp(shape: number, color: string): HTMLCanvasElement {
  const ratio = pixelRatio();
  const box = size * 2 + 2;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = box * ratio;
  const ctx = canvas.getContext('2d');
  if (ctx) {
    ctx.scale(ratio, ratio);
    ctx.translate(box / 2, box / 2);
    ctx.fillStyle = ctx.strokeStyle = color;
    markPath(ctx, shape);
    if (shape === failedShape) {
      ctx.lineWidth = 1.8;
      ctx.stroke();
    } else {
      ctx.globalAlpha = 0.72;
      ctx.fill();
    }
  }
  return canvas;
}

const failedShape = -1;

function markPath(ctx: CanvasRenderingContext2D, shape: number): void {
  const r = size - 0.5;
  const corners: Record<number, readonly (readonly [number, number])[]> = {
    1: [
      [-r + 0.6, -r + 0.6],
      [r - 0.6, -r + 0.6],
      [r - 0.6, r - 0.6],
      [-r + 0.6, r - 0.6],
    ],
    2: [
      [0, -r - 0.6],
      [r + 0.6, 0],
      [0, r + 0.6],
      [-r - 0.6, 0],
    ],
    3: [
      [0, -r],
      [r, r - 0.4],
      [-r, r - 0.4],
    ],
    4: [
      [0, r],
      [r, -r + 0.4],
      [-r, -r + 0.4],
    ],
    5: [
      [-r, -1.1],
      [-1.1, -1.1],
      [-1.1, -r],
      [1.1, -r],
      [1.1, -1.1],
      [r, -1.1],
      [r, 1.1],
      [1.1, 1.1],
      [1.1, r],
      [-1.1, r],
      [-1.1, 1.1],
      [-r, 1.1],
    ],
  };
  ctx.beginPath();
  const own = corners[shape];
  if (shape === failedShape) {
    for (const d of [1, -1]) {
      ctx.moveTo(-r * d, -r);
      ctx.lineTo(r * d, r);
    }
  } else if (own) {
    for (const [px, py] of own) ctx.lineTo(px, py);
    ctx.closePath();
  } else {
    ctx.arc(0, 0, shape >= groupColors.length ? r * 0.7 : r, 0, Math.PI * 2);
  }
}

/** `outcomes` says whether to draw failures, the others, or both; in a density only failures stand out. */
function drawStamps(
  ctx: CanvasRenderingContext2D,
  { points, group, failed, hidden, mask, x, y }: Picture,
  outcomes: readonly boolean[],
): void {
  const stamps = new Map<number, HTMLCanvasElement>();
  const stampOf = (shape: number) => {
    let found = stamps.get(shape);
    if (!found) {
      found = stamp(shape, token(shape === failedShape ? 'error' : groupColor(shape)));
      stamps.set(shape, found);
    }
    return found;
  };
  const box = size * 2 + 2;
  const ratio = pixelRatio();
  const perX = (x.to - x.from) / x.max;
  const perY = (y.to - y.from) / y.max;
  const top = y.to;
  // Whole pixels need no filter. A few stamps make a pixel solid, so more on the same one would change nothing.
  const columns = Math.ceil((x.to + box) * ratio);
  const stamped = new Uint8Array(columns * Math.ceil((y.from + box) * ratio));
  ctx.imageSmoothingEnabled = false;
  // Outside first, then inside; failures lie over the others.
  for (const wanted of mask ? [0, 1] : [1]) {
    ctx.globalAlpha = wanted === 0 ? faded : 1;
    for (const failures of outcomes) {
      stamped.fill(0);
      for (let i = 0; i < points.x.length; i++) {
        if (failed[i] !== failures || (mask && mask[i] !== wanted)) continue;
        const g = group[i] ?? -1;
        if (hidden.has(g)) continue;
        const px = Math.round((x.from + (points.x[i] ?? 0) * perX) * ratio);
        const py = Math.round(Math.max(top, y.from + (points.y[i] ?? 0) * perY) * ratio);
        const pixel = py * columns + px;
        const before = stamped[pixel] ?? 0;
        if (before >= stampsMax) continue;
        stamped[pixel] = before + 1;
        const mark = stampOf(failures ? failedShape : g < 0 ? groupColors.length : g);
        ctx.drawImage(mark, px / ratio - box / 2, py / ratio - box / 2, box, box);
      }
    }
  }
  ctx.imageSmoothingEnabled = true;
  ctx.globalAlpha = 1;
}

function drawDensity(ctx: CanvasRenderingContext2D, { points, group, hidden, mask, x, y }: Picture): void {
  const paint = (shown: (i: number) => boolean, strength: number) => {
    const { columns, rows, counts, most } = density(points, x, y, cellPx, shown);
    const scale = Math.log1p(most);
    ctx.fillStyle = token('chart-1');
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const n = counts[row * columns + column] ?? 0;
        if (n === 0) continue;
        ctx.globalAlpha = strength * (0.18 + 0.82 * (Math.log1p(n) / scale));
        ctx.fillRect(x.from + column * cellPx, y.to + row * cellPx, cellPx, cellPx);
      }
    }
    ctx.globalAlpha = 1;
  };
  const visible = (i: number) => !hidden.has(group[i] ?? -1);
  if (mask) {
    paint((i) => visible(i) && mask[i] === 0, 0.3);
    paint((i) => visible(i) && mask[i] === 1, 1);
  } else {
    paint(visible, 1);
  }
}

function lineColor(group: number): string {
  return token(group < 0 ? 'text' : groupColor(group));
}

function drawBand(ctx: CanvasRenderingContext2D, { hidden, x, y }: Picture, { group, points }: Line): void {
  if (hidden.has(group)) return;
  ctx.beginPath();
  for (const p of points) ctx.lineTo(toPx(x, p.x), toPx(y, p.high));
  for (const p of [...points].reverse()) ctx.lineTo(toPx(x, p.x), toPx(y, p.low));
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = lineColor(group);
  ctx.fill();
  ctx.globalAlpha = 1;
}

function drawLine(ctx: CanvasRenderingContext2D, { hidden, x, y }: Picture, { group, points }: Line): void {
  if (hidden.has(group)) return;
  ctx.beginPath();
  for (const p of points) ctx.lineTo(toPx(x, p.x), toPx(y, p.mid));
  // A rim in the colour of the ground keeps the line apart from points of its own colour.
  ctx.lineJoin = 'round';
  ctx.strokeStyle = token('bg-raised');
  ctx.lineWidth = 4;
  ctx.stroke();
  ctx.strokeStyle = lineColor(group);
  ctx.lineWidth = 2;
  ctx.stroke();
}

/** The box that is drawn, and the point under the pointer: a layer of its own, so that dragging redraws no points. */
export function drawOverlay(
  ctx: CanvasRenderingContext2D,
  { points, x, y }: Pick<Picture, 'points' | 'x' | 'y'>,
  box: Box | null,
  hover: number,
): void {
  if (box) {
    const left = box.x ? Math.max(x.from, toPx(x, box.x.from)) : x.from;
    const right = box.x ? Math.min(x.to, toPx(x, box.x.to)) : x.to;
    const top = box.y ? Math.max(y.to, toPx(y, box.y.to)) : y.to;
    const bottom = box.y ? Math.min(y.from, toPx(y, box.y.from)) : y.from;
    ctx.fillStyle = token('accent');
    ctx.globalAlpha = 0.1;
    ctx.fillRect(left, top, right - left, bottom - top);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = token('accent');
    ctx.lineWidth = 1;
    ctx.strokeRect(Math.round(left) + 0.5, Math.round(top) + 0.5, Math.round(right - left), Math.round(bottom - top));
  }
  if (hover >= 0) {
    ctx.beginPath();
    ctx.arc(toPx(x, points.x[hover] ?? 0), Math.max(y.to, toPx(y, points.y[hover] ?? 0)), size + 2.5, 0, Math.PI * 2);
    ctx.strokeStyle = token('text');
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}
