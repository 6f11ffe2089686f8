/** Bars of a distribution, all of the same width; a part of each may be marked. Its figures are a table on demand. */

import { useState } from 'react';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { Panel } from './panel';
import { TableToggle } from './tabletoggle';

export interface Bar {
  from: number;
  to: number;
  count: number;
  /** How many of them are in the marked set. */
  part?: number;
}

interface Props {
  title: string;
  bars: readonly Bar[];
  show: (value: number) => string;
  /** One sentence made from the data. */
  summary: string;
  /** Name of what is counted, and of the marked part. */
  counted: string;
  part?: string;
}

/** The bars without the empty ones at both ends. */
export function trimBars(bars: readonly Bar[]): readonly Bar[] {
  const first = bars.findIndex((b) => b.count > 0);
  const last = bars.findLastIndex((b) => b.count > 0);
  return first < 0 ? [] : bars.slice(first, last + 1);
}

export function DistributionPanel(props: Props) {
  const [asTable, setAsTable] = useState(false);
  return (
    <Panel title={props.title} className="chart-panel" actions={<TableToggle on={asTable} onChange={setAsTable} />}>
      <Distribution {...props} asTable={asTable} />
    </Panel>
  );
}

const labels = 4;

export function Distribution({
  title,
  bars: all,
  show,
  summary,
  counted,
  part,
  asTable,
}: Props & { asTable?: boolean }) {
  const bars = trimBars(all);
  if (bars.length === 0) return <p className="dim pad">{m.common.none}</p>;
  if (asTable) {
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
      <section className="chart-table distribution-table" tabIndex={0} aria-label={title}>
        <table className="table dense">
          <thead>
            <tr>
              <th scope="col">{m.llm.from}</th>
              <th scope="col">{m.llm.to}</th>
              <th scope="col" className="num">
                {counted}
              </th>
              {part && (
                <th scope="col" className="num">
                  {part}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {bars.map((bar) => (
              <tr key={bar.from}>
                <td>{show(bar.from)}</td>
                <td>{show(bar.to)}</td>
                <td className="num">{format.count(bar.count)}</td>
                {part && <td className="num">{format.count(bar.part)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    );
  }
  const most = bars.reduce((max, b) => Math.max(max, b.count), 1);
  // The square root keeps single slow answers visible beside thousands of fast ones.
  const height = (n: number) => `${Math.sqrt(n / most) * 100}%`;
  const marks = Array.from({ length: Math.min(labels, bars.length) }, (_, k) => {
    const i = Math.round((k / Math.min(labels, bars.length)) * bars.length);
    return { i, bar: bars[i] };
  });
  return (
    <div className="distribution" role="img" aria-label={`${title}: ${summary}`}>
      <div className="distribution-bars">
        {bars.map((bar) => (
          <span
            key={bar.from}
            className="distribution-bar"
            title={`${show(bar.from)} – ${show(bar.to)}: ${format.count(bar.count)}${
              part ? `, ${format.count(bar.part)} ${part}` : ''
            }`}
          >
            <span className={part ? 'whole' : 'whole alone'} style={{ height: height(bar.count) }} />
            {bar.part ? <span className="part" style={{ height: height(bar.part) }} /> : null}
          </span>
        ))}
      </div>
      <div className="distribution-axis dim small" aria-hidden>
        {marks.map(
          ({ i, bar }) =>
            bar && (
              <span key={i} style={{ left: `${(i / bars.length) * 100}%` }}>
                {show(bar.from)}
              </span>
            ),
        )}
      </div>
    </div>
  );
}
