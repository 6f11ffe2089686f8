/** A scatter of up to 50,000 points: drag a box to select, point at one to read it. Fields beside it do the same by keyboard. */

import { type ReactNode, type PointerEvent as ReactPointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import {
  axisEnd,
  type Box,
  boxBetween,
  durationTicks,
  nearest,
  niceTicks,
  type Points,
  type Scale,
} from '../base/scatter';
import { freshContext, useWidth } from './canvas';
import { drawOverlay, drawPicture, groupColor, groupColors, type Line, restColor } from './scatterdraw';
import { useTheme } from './theme';

const left = 62;
const right = 18;
const top = 14;
const bottom = 40;

export interface ScatterProps {
  points: Points;
  /** Group of each point: its colour and shape; −1 where it is not known. */
  group: ArrayLike<number>;
  failed: readonly boolean[];
  hidden: ReadonlySet<number>;
  mask: Uint8Array | null;
  lines: readonly Line[];
  box: Box | null;
  /** What a drag limits. */
  axes: 'x' | 'xy';
  xTitle: string;
  yTitle: string;
  xText: (value: number) => string;
  /** Durations in microseconds. */
  yText: (value: number) => string;
  /** Upper end of the vertical axis; points above it stand at its end. Absent = the largest value. */
  yMax?: number;
  /** One sentence made from the data. */
  summary: string;
  height: number;
  tip: (i: number) => ReactNode;
  onSelect: (box: Box | null) => void;
}

export function Scatter(props: ScatterProps) {
  const { points, group, failed, hidden, mask, lines, box, axes, yMax, xText, yText, height, onSelect } = props;
  const host = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const width = useWidth(host);
  const theme = useTheme();
  const [drag, setDrag] = useState<Box | null>(null);
  const [hover, setHover] = useState(-1);

  const scales = useMemo<{ x: Scale; y: Scale }>(
    () => ({
      x: { max: axisEnd(points.x), from: left, to: Math.max(left + 1, width - right) },
      y: { max: yMax ?? axisEnd(points.y), from: height - bottom, to: top },
    }),
    [points, yMax, width, height],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the theme
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const ctx = freshContext(base.current, width, height);
      if (!ctx) return;
      drawPicture(ctx, {
        points,
        group,
        failed,
        hidden,
        mask,
        lines,
        ...scales,
        xTicks: niceTicks(scales.x.max, Math.max(2, width / 90)),
        yTicks: durationTicks(scales.y.max, Math.max(2, height / 56)),
        xText,
        yText,
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [points, group, failed, hidden, mask, lines, scales, width, height, xText, yText, theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the theme
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const ctx = freshContext(over.current, width, height);
      if (ctx) drawOverlay(ctx, { points, ...scales }, drag ?? box, hover < points.x.length ? hover : -1);
    });
    return () => cancelAnimationFrame(frame);
  }, [points, scales, drag, box, hover, width, height, theme]);

  const placeOf = (event: { clientX: number; clientY: number }) => {
    const edge = host.current?.getBoundingClientRect();
    return { x: event.clientX - (edge?.left ?? 0), y: event.clientY - (edge?.top ?? 0) };
  };

  const onDown = (event: ReactPointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    const target = event.currentTarget;
    const from = placeOf(event);
    const boxTo = (e: PointerEvent) => boxBetween(from, placeOf(e), scales.x, scales.y, axes);
    target.setPointerCapture(event.pointerId);
    setHover(-1);
    const move = (e: PointerEvent) => setDrag(boxTo(e));
    const end = (e: PointerEvent) => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', end);
      target.removeEventListener('pointercancel', end);
      setDrag(null);
      if (e.type === 'pointercancel') return;
      const next = boxTo(e);
      if (next || box) onSelect(next);
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', end);
    target.addEventListener('pointercancel', end);
  };

  const onMove = (event: ReactPointerEvent<HTMLElement>) => {
    if (event.buttons !== 0) return;
    const shown = (i: number) => !hidden.has(group[i] ?? -1);
    setHover(nearest(points, placeOf(event), scales.x, scales.y, 12, shown));
  };

  const tipX = hover >= 0 ? scales.x.from + ((points.x[hover] ?? 0) / scales.x.max) * (scales.x.to - scales.x.from) : 0;
  return (
    <div className="scatter-frame">
      <span className="scatter-y dim" aria-hidden>
        {props.yTitle}
      </span>
      <div
        ref={host}
        className="scatter"
        role="img"
        aria-label={props.summary}
        style={{ height }}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerLeave={() => setHover(-1)}
      >
        <canvas ref={base} style={{ width, height }} aria-hidden />
        <canvas ref={over} style={{ width, height }} aria-hidden />
        {hover >= 0 && (
          <div
            className="plot-tip"
            aria-hidden
            style={tipX > width / 2 ? { left: 'auto', right: width - tipX + 12 } : { left: tipX + 12 }}
          >
            {props.tip(hover)}
          </div>
        )}
      </div>
      <span className="scatter-x dim" aria-hidden>
        {props.xTitle}
      </span>
    </div>
  );
}

/** Groups with their colour and shape; a click shows or hides one. */
export function ScatterLegend({
  label,
  names,
  unknown,
  failed,
  hidden,
  onToggle,
}: {
  label: string;
  names: readonly string[];
  /** Name of the points whose group is not known; absent if there are none. */
  unknown?: string;
  /** Name of the mark of failures; absent if there are none. */
  failed?: string;
  hidden: ReadonlySet<number>;
  onToggle: (group: number) => void;
}) {
  const groups = [...names.map((name, i) => ({ name, i })), ...(unknown ? [{ name: unknown, i: -1 }] : [])];
  return (
    <fieldset className="scatter-legend" aria-label={label}>
      {groups.map(({ name, i }) => (
        <button
          key={i}
          type="button"
          className="button quiet"
          aria-pressed={!hidden.has(i)}
          title={name}
          onClick={() => onToggle(i)}
        >
          <GroupMark group={i} />
          <span className="one-line">{name}</span>
        </button>
      ))}
      {failed && (
        <span className="scatter-failed">
          <svg width="10" height="10" viewBox="-5 -5 10 10" className="error-text" aria-hidden>
            <path d="M-3.5-3.5 3.5 3.5M3.5-3.5-3.5 3.5" stroke="currentColor" strokeWidth="1.8" />
          </svg>
          {failed}
        </span>
      )}
    </fieldset>
  );
}

const shapes = [
  'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z',
  'M-3.5-3.5h7v7h-7Z',
  'M0-4.6 4.6 0 0 4.6-4.6 0Z',
  'M0-4 4 3.6h-8Z',
  'M0 4 4-3.6h-8Z',
  'M-4-1.3h2.7V-4h2.6v2.7H4v2.6H1.3V4h-2.6V1.3H-4Z',
];

/** The mark of a group, as in the plot. */
export function GroupMark({ group }: { group: number }) {
  const color = group >= 0 && group < groupColors.length ? groupColor(group) : restColor;
  return (
    <svg width="11" height="11" viewBox="-5 -5 10 10" aria-hidden>
      <path d={shapes[group] ?? shapes[0]} fill={`var(--${color})`} />
    </svg>
  );
}
