/** uPlot in React: made anew when the data's shape or the theme changes, else only given new data. */

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import * as format from '../base/format';
import { token, useTheme } from './theme';
import type { Series } from './timechart';

interface Props {
  times: readonly number[];
  series: readonly Series[];
  format: (value: number | null | undefined) => string;
  max: number | undefined;
  /** True if values are counts, between which the axis needs no marks. */
  whole: boolean;
  height: number;
  onZoom: (fromMs: number, toMs: number) => void;
}

export default function Plot({ times, series, format: show, max, whole, height, onZoom }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const theme = useTheme();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the theme
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const step = ((times[1] ?? 0) - (times[0] ?? 0)) / 1e6;
    const dim = token('text-dim');
    const line = token('line-soft');
    const plot = new uPlot(
      {
        width: host.clientWidth,
        height,
        padding: [8, 20, 0, 0],
        legend: { show: false },
        cursor: {
          sync: { key: 'tokenfall' },
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
          y: false,
        },
        scales: {
          x: { time: true, range: (_, first, last) => [first, last + step] },
          y: { range: (_, __, top) => [0, Math.max(max ?? 0, top ?? 0) * 1.08 || 1] },
        },
        axes: [
          {
            stroke: dim,
            grid: { show: false },
            ticks: { stroke: line, size: 4 },
            font: '11px system-ui',
            size: 28,
            space: 70,
            values: (_, at) => at.map((s) => axisTime(s, at)),
          },
          {
            stroke: dim,
            grid: { stroke: line, width: 1 },
            ticks: { show: false },
            font: '11px system-ui',
            size: 62,
            gap: 6,
            space: 34,
            values: (_, at) => at.map((v) => (v === 0 ? '0' : whole && !Number.isInteger(v) ? '' : show(v))),
          },
        ],
        series: [
          {},
          ...series.map(
            (s): uPlot.Series => ({
              label: s.label,
              stroke: token(s.color),
              width: 1.6,
              spanGaps: false,
              ...(s.bars
                ? { fill: `${token(s.color)}`, paths: uPlot.paths.bars?.({ size: [0.8, 24], align: 1 }) }
                : {}),
              points: {
                show: (self: uPlot, i: number, from: number, to: number) => lonely(self.data[i], from, to) && !s.bars,
                size: 5,
                fill: token(s.color),
              },
            }),
          ),
        ],
        hooks: {
          setSelect: [
            (self) => {
              if (self.select.width < 6) return;
              const from = self.posToVal(self.select.left, 'x');
              const to = self.posToVal(self.select.left + self.select.width, 'x');
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              onZoom(Math.floor(from * 1000), Math.ceil((to + step) * 1000));
            },
          ],
          setCursor: [
            (self) => {
              const note = tip.current;
              const at = self.cursor.idx;
              if (!note) return;
              if (at === null || at === undefined || (self.cursor.left ?? -1) < 0) {
                note.hidden = true;
                return;
              }
              note.hidden = false;
              note.replaceChildren(
                text('b', format.dateTime((times[at] ?? 0) as number)),
                ...series.map((s) => text('span', `${s.label}  ${show(s.values[at])}`)),
              );
              const left = (self.cursor.left ?? 0) + 62;
              const wide = note.offsetWidth;
              note.style.transform = `translateX(${left + wide + 16 > host.clientWidth ? left - wide - 10 : left + 10}px)`;
            },
          ],
        },
      },
      [
        times.map((t) => t / 1e6),
        ...series.map((s) => s.values.map((v) => (s.bars ? v || null : (v ?? null)))),
      ] as uPlot.AlignedData,
      host,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height }));
    observer.observe(host);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times, series, show, max, whole, height, theme, onZoom]);

  return (
    <div ref={box} className="plot">
      <div ref={tip} className="plot-tip" hidden aria-hidden />
    </div>
  );
}

/** A value between two gaps would be invisible as a line. */
function lonely(values: uPlot.AlignedData[number] | undefined, from: number, to: number): boolean {
  for (let i = from; i <= to; i++)
    if (values?.[i] != null && values[i - 1] == null && values[i + 1] == null) return true;
  return false;
}

function axisTime(seconds: number, all: number[]): string {
  const span = ((all.at(-1) ?? 0) - (all[0] ?? 0)) as number;
  const us = seconds * 1e6;
  return span > 2 * 86_400
    ? format.dateTime(us).slice(0, 6)
    : span < 240
      ? format.dateTime(us).slice(-8)
      : format.clock(us);
}

function text(tag: string, content: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = content;
  return element;
}
