/** Colours, pens and texts that all parts of the waterfall are drawn with. */

import { token } from '../../../components/theme';
import { kinds } from '../model/trace';

export interface Paint {
  readonly bg: string;
  readonly bgHover: string;
  readonly bgSelected: string;
  readonly line: string;
  readonly lineSoft: string;
  readonly text: string;
  readonly dim: string;
  readonly error: string;
  readonly accent: string;
  readonly path: string;
  readonly kind: readonly string[];
  readonly services: readonly string[];
  readonly font: string;
  readonly fontBold: string;
  readonly fontSmall: string;
  readonly hatch: (ctx: CanvasRenderingContext2D, color: string) => CanvasPattern | string;
}

export function readPaint(): Paint {
  const family = getComputedStyle(document.body).fontFamily;
  const patterns = new Map<string, CanvasPattern>();
  return {
    bg: token('bg'),
    bgHover: token('bg-hover'),
    bgSelected: token('bg-selected'),
    line: token('line'),
    lineSoft: token('line-soft'),
    text: token('text'),
    dim: token('text-dim'),
    error: token('error'),
    accent: token('accent'),
    path: token('text'),
    kind: kinds.map((kind) => token(`kind-${kind}`)),
    services: [1, 2, 3, 4, 5, 6].map((n) => token(`service-${n}`)),
    font: `12.5px ${family}`,
    fontBold: `600 12.5px ${family}`,
    fontSmall: `11px ${family}`,
    hatch(ctx, color) {
      const known = patterns.get(color);
      if (known) return known;
      const tile = document.createElement('canvas');
      tile.width = 6;
      tile.height = 6;
      const pen = tile.getContext('2d');
      if (!pen) return color;
      pen.globalAlpha = 0.35;
      pen.fillStyle = color;
      pen.fillRect(0, 0, 6, 6);
      pen.globalAlpha = 1;
      pen.strokeStyle = color;
      pen.lineWidth = 1.6;
      pen.beginPath();
      pen.moveTo(-1.5, 7.5);
      pen.lineTo(7.5, -1.5);
      pen.moveTo(-4.5, 4.5);
      pen.lineTo(4.5, -4.5);
      pen.moveTo(1.5, 10.5);
      pen.lineTo(10.5, 1.5);
      pen.stroke();
      const pattern = ctx.createPattern(tile, 'repeat');
      if (!pattern) return color;
      patterns.set(color, pattern);
      return pattern;
    },
  };
}

const widths = new Map<string, number>();
const widthsMax = 20_000;

export function textWidth(ctx: CanvasRenderingContext2D, text: string): number {
  const key = `${ctx.font}\n${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > widthsMax) widths.clear();
    width = ctx.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

/** The text if it fits, else as much of it as fits with an ellipsis. */
export function clip(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  const whole = text.length > 300 ? text.slice(0, 300) : text;
  if (whole === text && textWidth(ctx, text) <= width) return text;
  let low = 0;
  let high = whole.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(ctx, `${whole.slice(0, middle)}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${whole.slice(0, low)}…`;
}

/** Sizes a canvas for the screen's pixels and clears nothing; draws in CSS pixels afterwards. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
  const w = Math.max(1, Math.round(width * ratio));
  const h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const ctx = canvas.getContext('2d', { alpha: false });
  ctx?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}
