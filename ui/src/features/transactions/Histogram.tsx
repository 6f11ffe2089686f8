/** How are the durations distributed? Drag over the bars, or type a range, to pick the traces below. */

import { type PointerEvent as ReactPointerEvent, useEffect, useRef, useState } from 'react';
import type { LatencyBucket } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { useWidth } from '../../components/canvas';
import { token, useTheme } from '../../components/theme';
import { place, type Selection, selectBars } from './bars';

const height = 180;
const axisHeight = 22;
const top = 32;

interface Props {
  buckets: readonly LatencyBucket[];
  p50: number | null | undefined;
  p95: number | null | undefined;
  current: number | undefined;
  selection: Selection | null;
  label: string;
  onSelect: (selection: Selection | null) => void;
}

export function Histogram({ buckets, p50, p95, current, selection, label, onSelect }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const theme = useTheme();
  const left = 44;
  const inner = Math.max(1, width - left - 8);
  const step = inner / Math.max(1, buckets.length);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the theme
  useEffect(() => {
    const el = canvas.current;
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    if (el) {
      el.width = width * ratio;
      el.height = height * ratio;
    }
    const ctx = el?.getContext('2d');
    if (!ctx || width === 0) return;
    ctx.scale(ratio, ratio);
    ctx.clearRect(0, 0, width, height);
    const family = getComputedStyle(document.body).fontFamily;
    ctx.font = `11px ${family}`;
    ctx.textBaseline = 'middle';
    const bottom = height - axisHeight;
    const plot = bottom - top;
    const most = buckets.reduce((max, b) => Math.max(max, b.count), 1);
    // The square root keeps single slow requests visible beside thousands of fast ones.
    const y = (n: number) => bottom - Math.sqrt(n / most) * plot;
    const dim = token('text-dim');
    ctx.fillStyle = token('line-soft');
    ctx.fillRect(left, bottom, inner, 1);
    ctx.textAlign = 'right';
    for (const n of new Set([most, Math.max(1, Math.round(most / 4))])) {
      ctx.fillStyle = token('line-soft');
      ctx.fillRect(left, Math.round(y(n)), inner, 1);
      ctx.fillStyle = dim;
      ctx.fillText(format.count(n), left - 6, y(n));
    }
    const chosen = drag ? selectBars(buckets, drag.from, drag.to) : selection;
    if (chosen) {
      const a = place(buckets, chosen.min);
      const b = place(buckets, chosen.max);
      ctx.fillStyle = token('bg-selected');
      ctx.fillRect(left + a * step, top - 4, (b - a) * step, plot + 4);
    }
    for (const [i, b] of buckets.entries()) {
      if (b.count === 0) continue;
      const x = left + i * step;
      const w = Math.max(1, step - 1);
      const inside = !chosen || (b.from_us >= chosen.min && b.to_us <= chosen.max);
      ctx.globalAlpha = inside ? 1 : 0.35;
      ctx.fillStyle = token('chart-1');
      ctx.fillRect(x, y(b.count), w, bottom - y(b.count));
      if (b.failed > 0) {
        ctx.fillStyle = token('error');
        ctx.fillRect(x, y(b.failed), w, bottom - y(b.failed));
      }
    }
    ctx.globalAlpha = 1;
    ctx.textAlign = 'left';
    ctx.fillStyle = dim;
    const labels = Math.max(2, Math.floor(inner / 110));
    for (let k = 0; k < labels; k++) {
      const i = Math.round((k / labels) * buckets.length);
      const b = buckets[i];
      if (b) ctx.fillText(format.duration(b.from_us), left + i * step, height - 9);
    }
    const mark = (us: number | null | undefined, text: string, color: string, row: number) => {
      if (us === null || us === undefined) return;
      const x = Math.round(left + place(buckets, us) * step);
      ctx.fillStyle = color;
      for (let d = top - 4; d < bottom; d += 5) ctx.fillRect(x, d, 1, 3);
      const w = ctx.measureText(text).width;
      ctx.fillText(text, x + 4 + w > width ? x - w - 4 : x + 4, row);
    };
    mark(p50, `${m.figures.shortP50} ${format.duration(p50)}`, token('text'), 6);
    mark(
      p95,
      `${m.figures.shortP95} ${format.duration(p95)}`,
      token('text'),
      p50 && p95 && (place(buckets, p95) - place(buckets, p50)) * step < 90 ? 18 : 6,
    );
    if (current !== undefined) {
      const x = left + place(buckets, current) * step;
      ctx.fillStyle = token('accent');
      ctx.beginPath();
      ctx.arc(x, bottom, 4.5, 0, Math.PI * 2);
      ctx.fill();
      ctx.strokeStyle = token('bg');
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }
  }, [buckets, p50, p95, current, selection, drag, width, inner, step, theme]);

  const onDown = (event: ReactPointerEvent<HTMLElement>) => {
    if (event.button !== 0 || buckets.length === 0) return;
    const target = event.currentTarget;
    const edge = target.getBoundingClientRect().left + left;
    const barAt = (x: number) => Math.max(0, Math.min(buckets.length, (x - edge) / step));
    const from = barAt(event.clientX);
    const startX = event.clientX;
    target.setPointerCapture(event.pointerId);
    const move = (e: PointerEvent) => setDrag({ from, to: barAt(e.clientX) });
    const up = (e: PointerEvent) => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', up);
      target.removeEventListener('pointercancel', up);
      setDrag(null);
      onSelect(Math.abs(e.clientX - startX) < 4 ? null : selectBars(buckets, from, barAt(e.clientX)));
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', up);
    target.addEventListener('pointercancel', up);
  };

  return (
    <div ref={box} className="histogram" role="img" aria-label={label} onPointerDown={onDown}>
      <canvas ref={canvas} style={{ width, height }} aria-hidden />
    </div>
  );
}
