import { useEffect, useRef } from 'react';
import { token, useTheme } from './theme';

type Values = readonly (number | null | undefined)[];

/** A small chart without axes. It repeats figures that stand beside it as text, so it is hidden from screen readers. */
export function Sparkline({
  values,
  tone = 'accent',
  bars,
  width = 84,
  height = 22,
}: {
  values: Values;
  tone?: 'accent' | 'error' | 'dim';
  bars?: boolean;
  width?: number;
  height?: number;
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the theme
  useEffect(() => {
    const canvas = ref.current;
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    if (canvas) {
      canvas.width = width * ratio;
      canvas.height = height * ratio;
    }
    const ctx = canvas?.getContext('2d');
    if (!ctx) return;
    ctx.scale(ratio, ratio);
    const color = token(tone === 'accent' ? 'accent' : tone === 'error' ? 'error' : 'text-dim');
    let max = 0;
    for (const v of values) max = Math.max(max, v ?? 0);
    ctx.fillStyle = token('line');
    ctx.fillRect(0, height - 1, width, 1);
    if (max <= 0 || values.length === 0) return;
    const step = width / values.length;
    const y = (v: number) => height - 1.5 - (v / max) * (height - 4);
    ctx.fillStyle = color;
    ctx.strokeStyle = color;
    ctx.lineWidth = 1.4;
    ctx.lineJoin = 'round';
    if (bars) {
      for (const [i, v] of values.entries())
        if (v) ctx.fillRect(i * step, y(v), Math.max(1.5, step - 1), height - y(v));
      return;
    }
    let open = false;
    for (const [i, v] of values.entries()) {
      const x = i * step + step / 2;
      if (v === null || v === undefined) {
        open = false;
        continue;
      }
      const lonely = values[i - 1] == null && values[i + 1] == null;
      if (lonely) {
        ctx.beginPath();
        ctx.arc(x, y(v), 1.8, 0, Math.PI * 2);
        ctx.fill();
        continue;
      }
      if (!open) {
        ctx.beginPath();
        ctx.moveTo(x, y(v));
        open = true;
      } else {
        ctx.lineTo(x, y(v));
      }
      if (values[i + 1] == null) ctx.stroke();
    }
  }, [values, tone, bars, width, height, theme]);
  return <canvas ref={ref} className="sparkline" style={{ width, height }} aria-hidden />;
}
