/** Draws the whole trace small: every item merged into pixel rows, errors and search hits as ticks, the zoom as a window. */

import * as format from '../../../base/format';
import { isWhole, ticks, toX, type Zoom } from '../model/scale';
import { flag, has, type Trace } from '../model/trace';
import type { Paint } from './paint';
import { textWidth } from './paint';

export function drawMinimap(
  ctx: CanvasRenderingContext2D,
  trace: Trace,
  zoom: Zoom,
  hits: Int32Array,
  showPath: boolean,
  width: number,
  height: number,
  paint: Paint,
): void {
  ctx.fillStyle = paint.bg;
  ctx.fillRect(0, 0, width, height);
  const whole: Zoom = { t0: 0, t1: trace.durationUs };
  const pad = 6;
  const inner = height - pad * 2;
  const n = trace.size;
  const step = Math.min(4, inner / Math.max(1, n));
  const thick = Math.max(1, Math.min(3, step - 0.5));
  // On large traces many items share a pixel row; long bars of that row are drawn once.
  const seen = new Float64Array(Math.ceil(inner) + 1).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < n; i++) {
    const x0 = toX(whole, trace.offset[i] ?? 0, width);
    const x1 = Math.max(x0 + 1, toX(whole, (trace.offset[i] ?? 0) + (trace.duration[i] ?? 0), width));
    const line = Math.floor(i * step);
    if (step < 1) {
      if (x1 <= (seen[line] ?? 0)) continue;
      seen[line] = x1;
    }
    ctx.globalAlpha = (trace.compositeCount[i] ?? 0) > 0 ? 0.5 : 0.9;
    ctx.fillStyle = paint.kind[trace.kind[i] ?? 5] ?? paint.dim;
    ctx.fillRect(x0, pad + i * step, x1 - x0, thick);
  }
  ctx.globalAlpha = 1;
  if (showPath) {
    ctx.fillStyle = paint.path;
    for (let s = 0; s < trace.path.from.length; s++) {
      const x0 = toX(whole, trace.path.from[s] ?? 0, width);
      ctx.fillRect(x0, height - 3, Math.max(0.5, toX(whole, trace.path.to[s] ?? 0, width) - x0), 2);
    }
  }
  ctx.fillStyle = paint.error;
  for (let i = 0; i < n; i++) {
    if ((trace.errorCount[i] ?? 0) === 0 && !has(trace, i, flag.failure)) continue;
    const x = toX(whole, (trace.offset[i] ?? 0) + (trace.duration[i] ?? 0), width);
    ctx.beginPath();
    ctx.moveTo(x - 3, 0);
    ctx.lineTo(x + 3, 0);
    ctx.lineTo(x, 5);
    ctx.fill();
  }
  ctx.fillStyle = paint.accent;
  for (const hit of hits) ctx.fillRect(Math.round(toX(whole, trace.offset[hit] ?? 0, width)), height - 5, 1, 5);
  if (!isWhole(zoom, trace.durationUs)) {
    const a = toX(whole, zoom.t0, width);
    const b = Math.max(a + 2, toX(whole, zoom.t1, width));
    ctx.globalAlpha = 0.72;
    ctx.fillStyle = paint.bg;
    ctx.fillRect(0, 0, a, height);
    ctx.fillRect(b, 0, width - b, height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = paint.accent;
    ctx.lineWidth = 1;
    ctx.strokeRect(Math.round(a) + 0.5, 0.5, Math.max(1, Math.round(b - a) - 1), height - 1);
  }
}

/** The time axis; the labels say the time after the start of the trace. */
export function drawRuler(
  ctx: CanvasRenderingContext2D,
  zoom: Zoom,
  width: number,
  height: number,
  paint: Paint,
  hoverX: number,
): void {
  ctx.fillStyle = paint.bg;
  ctx.fillRect(0, 0, width, height);
  ctx.font = paint.fontSmall;
  ctx.textBaseline = 'middle';
  ctx.fillStyle = paint.dim;
  const axis = width - 12;
  for (const t of ticks(zoom, axis)) {
    const x = Math.round(toX(zoom, t, axis));
    const label = t === 0 ? '0' : format.duration(t);
    ctx.fillRect(x, height - 5, 1, 5);
    const w = textWidth(ctx, label);
    if (x + 4 + w < width) ctx.fillText(label, x + 4, height / 2);
  }
  if (hoverX >= 0) {
    const label = format.duration(Math.max(0, zoom.t0 + (hoverX / axis) * (zoom.t1 - zoom.t0)));
    const w = textWidth(ctx, label) + 10;
    const x = Math.min(width - w, Math.max(0, hoverX - w / 2));
    ctx.fillStyle = paint.bgSelected;
    ctx.fillRect(x, 2, w, height - 4);
    ctx.fillStyle = paint.text;
    ctx.fillText(label, x + 5, height / 2);
  }
}
