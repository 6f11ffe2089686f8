/** A chart over time, with its figures as a table on demand. The drawing library is loaded with the first chart. */

import { lazy, Suspense, useMemo, useState } from 'react';
import type { SeriesAxis } from '../api/types';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { Panel } from './panel';
import { TableToggle } from './tabletoggle';
import { useSetView } from './view';

const Plot = lazy(() => import('./plot'));

export interface Series {
  label: string;
  values: readonly (number | null | undefined)[];
  /** Name of a colour token. */
  color: string;
  bars?: boolean;
}

interface Props {
  title: string;
  axis: SeriesAxis;
  series: readonly Series[];
  format: (value: number | null | undefined) => string;
  /** Upper end of the axis if all values are below it; for shares 1 % keeps noise flat. */
  max?: number;
  height?: number;
}

const height = 150;

export function TimeChart({ title, axis, series, format: show, max, height: tall = height }: Props) {
  const [asTable, setAsTable] = useState(false);
  const setView = useSetView();
  const zoom = useMemo(
    () => (fromMs: number, toMs: number) =>
      setView({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }),
    [setView],
  );
  const times = useMemo(
    () => Array.from({ length: axis.buckets }, (_, i) => axis.start_us + i * axis.bucket_us),
    [axis],
  );
  const summary = series.map((s) => `${s.label} ${range(s.values, show)}`).join('; ');
  return (
    <Panel
      title={title}
      className="chart-panel"
      note={
        <span className="legend">
          {series.length > 1 &&
            series.map((s) => (
              <span key={s.label}>
                <i className={`line-mark color-${s.color}`} />
                {s.label}
              </span>
            ))}
        </span>
      }
      actions={<TableToggle on={asTable} onChange={setAsTable} />}
    >
      {asTable ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
        <section className="chart-table" style={{ height: tall }} tabIndex={0} aria-label={title}>
          <table className="table dense">
            <thead>
              <tr>
                <th scope="col">{m.common.time}</th>
                {series.map((s) => (
                  <th scope="col" className="num" key={s.label}>
                    {s.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((time, i) => (
                <tr key={time}>
                  <td>{format.dateTime(time)}</td>
                  {series.map((s) => (
                    <td key={s.label} className="num">
                      {show(s.values[i])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ) : (
        <div role="img" aria-label={`${title}: ${summary}`} className="chart-box" style={{ height: tall }}>
          <Suspense fallback={null}>
            <Plot
              times={times}
              series={series}
              format={show}
              max={max}
              whole={show === format.count}
              height={tall}
              onZoom={zoom}
            />
          </Suspense>
        </div>
      )}
    </Panel>
  );
}

function range(values: Series['values'], show: Props['format']): string {
  const known = values.filter((v): v is number => typeof v === 'number');
  if (known.length === 0) return format.missing;
  return `${show(Math.min(...known))} – ${show(Math.max(...known))}`;
}
