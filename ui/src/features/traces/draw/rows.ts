/** Draws the visible rows of the waterfall. Pure: the same scene gives the same picture. */

import * as format from '../../../base/format';
import { m } from '../../../base/i18n';
import { usedBy } from '../model/describe';
import { groupOf, hasChildren, isGroup, itemOfRow, type Rows } from '../model/rows';
import { ticks, toX, type Zoom } from '../model/scale';
import { flag, has, nameOf, type Trace } from '../model/trace';
import { clip, type Paint, textWidth } from './paint';

export const rowHeight = 24;
const barHeight = 12;
const indentPx = 14;
export const durationWidth = 76;

export interface Scene {
  readonly trace: Trace;
  readonly rows: Rows;
  /** Row of each item; −1 = hidden. */
  readonly index: Int32Array;
  readonly collapsed: ReadonlySet<number>;
  readonly opened: ReadonlySet<number>;
  readonly zoom: Zoom;
  readonly width: number;
  readonly height: number;
  /** Width of the name column with the durations. */
  readonly nameWidth: number;
  readonly scrollTop: number;
  readonly cursor: number;
  readonly selected: number;
  readonly hover: number;
  readonly showPath: boolean;
  /** 1 for each hit of the search; null if there is none. */
  readonly hits: Uint8Array | null;
  readonly manyServices: boolean;
  /** On narrow screens durations stand beside the bars, so that names have room. */
  readonly narrow: boolean;
}

/** Left edge of a row's text; deep levels stop moving right so that names stay readable. */
export function indent(level: number, nameWidth: number): number {
  return 10 + Math.min(level * indentPx, Math.max(40, (nameWidth - durationWidth) * 0.5));
}

export function drawRows(ctx: CanvasRenderingContext2D, scene: Scene, paint: Paint): void {
  const { trace, rows, width, height, nameWidth, scrollTop } = scene;
  ctx.fillStyle = paint.bg;
  ctx.fillRect(0, 0, width, height);
  ctx.textBaseline = 'middle';
  const first = Math.max(0, Math.floor(scrollTop / rowHeight));
  const last = Math.min(rows.length - 1, Math.floor((scrollTop + height) / rowHeight));
  const barsX = nameWidth;
  const barsWidth = Math.max(1, width - nameWidth - 12);

  for (let r = first; r <= last; r++) {
    const y = r * rowHeight - scrollTop;
    const background =
      r === scene.selected ? paint.bgSelected : r === scene.hover || r === scene.cursor ? paint.bgHover : null;
    if (background) {
      ctx.fillStyle = background;
      ctx.fillRect(0, y, width, rowHeight);
    }
  }

  ctx.fillStyle = paint.lineSoft;
  for (const t of ticks(scene.zoom, barsWidth))
    ctx.fillRect(Math.round(barsX + toX(scene.zoom, t, barsWidth)), 0, 1, height);

  ctx.save();
  ctx.beginPath();
  ctx.rect(barsX - 2, 0, width - barsX + 2, height);
  ctx.clip();
  drawAttempts(ctx, scene, paint, first, last, barsX, barsWidth);
  for (let r = first; r <= last; r++) {
    const row = rows[r] ?? 0;
    const y = r * rowHeight - scrollTop;
    if (isGroup(row)) drawGroupBar(ctx, scene, paint, groupOf(row), y, barsX, barsWidth);
    else drawBar(ctx, scene, paint, row, y, barsX, barsWidth);
  }
  ctx.restore();

  for (let r = first; r <= last; r++) drawName(ctx, scene, paint, rows[r] ?? 0, r * rowHeight - scrollTop);
  ctx.fillStyle = paint.line;
  ctx.fillRect(nameWidth - 1, 0, 1, height);
  if (trace.size === 0) return;
}

function drawName(ctx: CanvasRenderingContext2D, scene: Scene, paint: Paint, row: number, y: number): void {
  const { trace, nameWidth } = scene;
  const item = itemOfRow(trace, row);
  const group = isGroup(row) ? groupOf(row) : -1;
  const middle = y + rowHeight / 2 + 0.5;
  const member = group < 0 && (trace.groups.of[item] ?? -1) >= 0;
  let x = indent((trace.depth[item] ?? 0) + (member ? 1 : 0), nameWidth);
  const failed = has(trace, item, flag.failure);
  const dimmed = scene.hits !== null && scene.hits[item] !== 1;

  ctx.fillStyle = paint.services[(trace.service[item] ?? 0) % paint.services.length] ?? paint.dim;
  if (scene.manyServices) ctx.fillRect(0, y, 3, rowHeight);

  const open = group >= 0 ? scene.opened.has(group) : !scene.collapsed.has(item);
  if (group >= 0 || hasChildren(trace, item)) drawCaret(ctx, paint.dim, x + 4, middle, open);
  x += 13;

  ctx.fillStyle = paint.kind[trace.kind[item] ?? 5] ?? paint.dim;
  ctx.beginPath();
  if (has(trace, item, flag.transaction)) ctx.roundRect(x, middle - 4, 8, 8, 2);
  else ctx.arc(x + 4, middle, 3.5, 0, Math.PI * 2);
  ctx.fill();
  x += 14;

  const right = nameWidth - 10;
  ctx.font = paint.font;
  ctx.textAlign = 'right';
  ctx.fillStyle = paint.dim;
  const took = group >= 0 ? (trace.groups.sum[group] ?? 0) : (trace.duration[item] ?? 0);
  if (!scene.narrow)
    ctx.fillText(group >= 0 ? m.waterfall.groupSum(format.duration(took)) : format.duration(took), right, middle);
  ctx.textAlign = 'left';

  const limit = scene.narrow ? nameWidth - 6 : nameWidth - durationWidth - (group >= 0 ? 18 : 0);
  const badges: [text: string, color: string][] = [];
  if (group < 0) {
    const errors = trace.errorCount[item] ?? 0;
    const below = (trace.errorsBelow[item] ?? 0) - errors;
    if (errors > 0) badges.push([`▲ ${errors}`, paint.error]);
    else if (!open && below > 0) badges.push([`▲ ${below}`, paint.error]);
    if ((trace.attempt[item] ?? 0) > 0) badges.push([`⟳ ${trace.attempt[item]}`, paint.dim]);
    const call = trace.calls.get(item);
    if (call) for (const text of usedBy(call)) badges.push([text, paint.dim]);
    const status = trace.statusCode[item] ?? 0;
    if (status > 0) badges.push([String(status), status >= 400 ? paint.error : paint.dim]);
    if (has(trace, item, flag.orphan)) badges.push([m.waterfall.missingParent, paint.error]);
    if (has(trace, item, flag.async)) badges.push(['⇉', paint.dim]);
    if (has(trace, item, flag.skewCorrected)) badges.push([m.waterfall.skew, paint.dim]);
    if (!open) badges.push([`+${(trace.end[item] ?? 0) - item - 1}`, paint.dim]);
  }
  let name = nameOf(trace, item) || m.common.unknown;
  if (group >= 0) name = m.waterfall.group(trace.groups.count[group] ?? 0, name);
  else if ((trace.compositeCount[item] ?? 0) > 0) name = m.waterfall.merged(trace.compositeCount[item] ?? 0, name);

  ctx.font = paint.fontSmall;
  let badgesWidth = 0;
  for (const [text] of badges) badgesWidth += textWidth(ctx, text) + 14;
  ctx.font = has(trace, item, flag.transaction) ? paint.fontBold : paint.font;
  const room = Math.max(30, limit - x - badgesWidth);
  const shown = clip(ctx, name, room);
  ctx.fillStyle = failed ? paint.error : paint.text;
  ctx.globalAlpha = dimmed ? 0.45 : 1;
  ctx.fillText(shown, x, middle);
  x += textWidth(ctx, shown) + 8;
  ctx.font = paint.fontSmall;
  for (const [text, color] of badges) {
    const w = textWidth(ctx, text) + 9;
    if (x + w > limit) break;
    ctx.strokeStyle = color;
    ctx.globalAlpha = dimmed ? 0.3 : 0.5;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.roundRect(x + 0.5, middle - 8, w, 15, 4);
    ctx.stroke();
    ctx.globalAlpha = dimmed ? 0.45 : 1;
    ctx.fillStyle = color;
    ctx.fillText(text, x + 5, middle);
    x += w + 5;
  }
  ctx.globalAlpha = 1;
}

function drawCaret(ctx: CanvasRenderingContext2D, color: string, x: number, y: number, open: boolean): void {
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  if (open) {
    ctx.moveTo(x - 3.5, y - 2);
    ctx.lineTo(x, y + 1.5);
    ctx.lineTo(x + 3.5, y - 2);
  } else {
    ctx.moveTo(x - 1.5, y - 3.5);
    ctx.lineTo(x + 2, y);
    ctx.lineTo(x - 1.5, y + 3.5);
  }
  ctx.stroke();
}

/** Left and right edge of something on the time axis, at least 2 px wide and never far outside the canvas. */
function edges(zoom: Zoom, from: number, to: number, barsX: number, barsWidth: number): [number, number] {
  const a = Math.max(-4, Math.min(barsWidth + 4, toX(zoom, from, barsWidth)));
  const b = Math.max(-4, Math.min(barsWidth + 4, toX(zoom, to, barsWidth)));
  return [barsX + a, barsX + Math.max(b, a + 2)];
}

function drawBar(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  paint: Paint,
  item: number,
  y: number,
  barsX: number,
  barsWidth: number,
): void {
  const { trace, zoom } = scene;
  const from = trace.offset[item] ?? 0;
  const to = from + (trace.duration[item] ?? 0);
  const [x0, x1] = edges(zoom, from, to, barsX, barsWidth);
  const top = y + (rowHeight - barHeight) / 2;
  const color = paint.kind[trace.kind[item] ?? 5] ?? paint.dim;
  const failed = has(trace, item, flag.failure);
  const merged = trace.compositeCount[item] ?? 0;
  const first = trace.firstChunk[item] ?? -1;
  const alpha = scene.hits !== null && scene.hits[item] !== 1 ? 0.3 : 1;
  const visible = to >= zoom.t0 && from <= zoom.t1;
  if (visible) {
    ctx.globalAlpha = alpha;
    ctx.beginPath();
    ctx.roundRect(x0, top, x1 - x0, barHeight, 2);
    if (has(trace, item, flag.orphan)) {
      ctx.globalAlpha = alpha * 0.25;
      ctx.fillStyle = color;
      ctx.fill();
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = color;
      ctx.setLineDash([4, 3]);
      ctx.lineWidth = 1;
      ctx.stroke();
      ctx.setLineDash([]);
    } else if (merged > 0) {
      ctx.fillStyle = paint.hatch(ctx, color);
      ctx.fill();
    } else if (has(trace, item, flag.generation) && first >= 0) {
      ctx.globalAlpha = alpha * 0.35;
      ctx.fillStyle = color;
      ctx.fill();
      ctx.globalAlpha = alpha;
      const [mark] = edges(zoom, from + first, to, barsX, barsWidth);
      const arrivals = trace.arrivals.get(item);
      if (arrivals) {
        drawArrivals(ctx, zoom, from, arrivals, top, barsX, barsWidth);
      } else {
        ctx.beginPath();
        ctx.roundRect(mark, top, Math.max(0, x1 - mark), barHeight, [0, 2, 2, 0]);
        ctx.fill();
      }
      ctx.fillStyle = paint.text;
      ctx.fillRect(Math.round(mark) - 1, top - 3, 2, barHeight + 6);
    } else {
      ctx.globalAlpha = alpha * (has(trace, item, flag.transaction) ? 1 : 0.85);
      ctx.fillStyle = color;
      ctx.fill();
    }
    ctx.globalAlpha = alpha;
    if (failed) {
      ctx.strokeStyle = paint.error;
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      ctx.roundRect(x0 - 1.5, top - 1.5, x1 - x0 + 3, barHeight + 3, 3);
      ctx.stroke();
    }
    if (scene.showPath) {
      ctx.fillStyle = paint.path;
      for (let s = trace.path.first[item] ?? 0; s < (trace.path.first[item + 1] ?? 0); s++) {
        const [p0, p1] = edges(zoom, trace.path.from[s] ?? 0, trace.path.to[s] ?? 0, barsX, barsWidth);
        ctx.fillRect(p0, top + barHeight + 2, p1 - p0, 2);
      }
    }
  }
  const notes: [text: string, color: string][] = [];
  if (failed) notes.push([`▲ ${m.common.failed}`, paint.error]);
  if (merged > 0) {
    notes.push([
      m.waterfall.mergedSum(
        format.duration(trace.compositeSum[item]),
        format.duration((trace.compositeSum[item] ?? 0) / merged),
      ),
      paint.dim,
    ]);
    notes.push([m.waterfall.notRecorded, paint.dim]);
  } else if (first >= 0 && has(trace, item, flag.generation)) {
    notes.push([m.waterfall.ttft(format.duration(first)), paint.dim]);
    const chunks = trace.chunks[item] ?? 0;
    if (chunks > 0) notes.push([m.waterfall.chunks(chunks), paint.dim]);
  }
  // The last note is the one that stays when there is little room.
  if (scene.narrow) notes.push([format.duration(trace.duration[item]), paint.dim]);
  const free = first >= 0 && visible ? edges(zoom, from + first, to, barsX, barsWidth)[0] + 6 : x0;
  drawNotes(ctx, paint, notes, visible ? [x0, free, x1] : [barsX, barsX, barsX], y, barsX, barsWidth, alpha);
  ctx.globalAlpha = 1;
}

/** One stroke where a token arrived; where they come faster than pixels, the bar is solid, and a stall is a hole in it. */
function drawArrivals(
  ctx: CanvasRenderingContext2D,
  zoom: Zoom,
  from: number,
  arrivals: Float64Array,
  top: number,
  barsX: number,
  barsWidth: number,
): void {
  let drawn = Number.NEGATIVE_INFINITY;
  for (const arrival of arrivals) {
    const at = from + arrival;
    if (at < zoom.t0) continue;
    if (at > zoom.t1) break;
    const x = Math.round(barsX + toX(zoom, at, barsWidth));
    if (x <= drawn) continue;
    ctx.fillRect(x, top, 1, barHeight);
    drawn = x;
  }
}

function drawGroupBar(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  paint: Paint,
  group: number,
  y: number,
  barsX: number,
  barsWidth: number,
): void {
  const { trace, zoom } = scene;
  const item = trace.groups.first[group] ?? 0;
  const from = trace.offset[item] ?? 0;
  const to = trace.groups.until[group] ?? from;
  if (to < zoom.t0 || from > zoom.t1) return;
  const [x0, x1] = edges(zoom, from, to, barsX, barsWidth);
  const top = y + (rowHeight - barHeight) / 2;
  const color = paint.kind[trace.kind[item] ?? 5] ?? paint.dim;
  ctx.fillStyle = color;
  ctx.globalAlpha = 0.25;
  ctx.beginPath();
  ctx.roundRect(x0, top, x1 - x0, barHeight, 2);
  ctx.fill();
  ctx.globalAlpha = 0.9;
  // The members' own times are known, so they are drawn, each pixel at most once.
  let drawn = Number.NEGATIVE_INFINITY;
  const end = trace.groups.end[group] ?? 0;
  for (let c = item; c < end; c = Math.max(c + 1, trace.end[c] ?? 0)) {
    const start = trace.offset[c] ?? 0;
    const [a, b] = edges(zoom, start, start + (trace.duration[c] ?? 0), barsX, barsWidth);
    const left = Math.max(a, drawn);
    if (b - left < 0.5) continue;
    ctx.fillRect(left, top, Math.max(1, b - left - 0.5), barHeight);
    drawn = Math.max(b, left + 1);
  }
  ctx.globalAlpha = 1;
}

/** Notes stand right of the bar, left of it, or on its free part, wherever there is room; else the last ones alone, or none. */
function drawNotes(
  ctx: CanvasRenderingContext2D,
  paint: Paint,
  notes: [text: string, color: string][],
  [x0, free, x1]: [left: number, free: number, right: number],
  y: number,
  barsX: number,
  barsWidth: number,
  alpha: number,
): void {
  if (notes.length === 0) return;
  ctx.font = paint.fontSmall;
  ctx.globalAlpha = alpha;
  const gap = 10;
  const middle = y + rowHeight / 2 + 0.5;
  let total = 0;
  for (const [text] of notes) total += textWidth(ctx, text) + gap;
  let x = x1 + 8;
  if (x + total > barsX + barsWidth + 8) {
    if (x0 - total - 4 > barsX) {
      x = x0 - total - 2;
      ctx.fillStyle = paint.bg;
      ctx.fillRect(x - 4, y + 4, total, rowHeight - 8);
    } else {
      if (x1 - free > total + 24) drawInside(ctx, paint, notes, free + (x1 - free - total + gap) / 2, middle, gap);
      else drawNotes(ctx, paint, notes.slice(1), [x0, free, x1], y, barsX, barsWidth, alpha);
      return;
    }
  }
  for (const [text, color] of notes) {
    const w = textWidth(ctx, text);
    if (x + w > barsX + barsWidth + 10) return;
    ctx.fillStyle = color;
    ctx.fillText(text, x, middle);
    x += w + gap;
  }
}

/** Notes on the bar itself stand on a plate of the page's colour, so that they are readable on any bar. */
function drawInside(
  ctx: CanvasRenderingContext2D,
  paint: Paint,
  notes: [text: string, color: string][],
  from: number,
  middle: number,
  gap: number,
): void {
  let x = from;
  let total = 0;
  for (const [text] of notes) total += textWidth(ctx, text) + gap;
  ctx.fillStyle = paint.bg;
  ctx.globalAlpha = 0.88;
  ctx.beginPath();
  ctx.roundRect(x - 5, middle - 8, total, 16, 3);
  ctx.fill();
  ctx.globalAlpha = 1;
  for (const [text, color] of notes) {
    ctx.fillStyle = color;
    ctx.fillText(text, x, middle);
    x += textWidth(ctx, text) + gap;
  }
}

/** A thin line from where an attempt failed down to the next one, the wait between them dashed. */
function drawAttempts(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  paint: Paint,
  first: number,
  last: number,
  barsX: number,
  barsWidth: number,
): void {
  const { trace, rows, index, zoom, scrollTop } = scene;
  ctx.strokeStyle = paint.dim;
  ctx.lineWidth = 1;
  const join = (a: number, b: number) => {
    const ra = index[a] ?? -1;
    const rb = index[b] ?? -1;
    if (ra < 0 || rb < 0) return;
    const [, xa] = edges(
      zoom,
      trace.offset[a] ?? 0,
      (trace.offset[a] ?? 0) + (trace.duration[a] ?? 0),
      barsX,
      barsWidth,
    );
    const [xb] = edges(zoom, trace.offset[b] ?? 0, trace.offset[b] ?? 0, barsX, barsWidth);
    const ya = ra * rowHeight - scrollTop + rowHeight / 2;
    const yb = rb * rowHeight - scrollTop + rowHeight / 2;
    const x = Math.round(xa) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, ya);
    ctx.lineTo(x, yb);
    ctx.stroke();
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(x, yb + 0.5);
    ctx.lineTo(xb, yb + 0.5);
    ctx.stroke();
    ctx.setLineDash([]);
  };
  for (let r = first; r <= last; r++) {
    const item = rows[r] ?? -1;
    if (item < 0) continue;
    const before = trace.attemptBefore[item] ?? -1;
    const after = trace.attemptAfter[item] ?? -1;
    if (before >= 0) join(before, item);
    if (after >= 0 && (index[after] ?? -1) > last) join(item, after);
  }
}
