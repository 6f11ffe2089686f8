/** The points of a scatter as rows, for those who do not see it. Only the rows in view are elements. */

import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { TokenPoints } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { whole } from '../../base/numbers';

const rowPx = 29;

export function PointTable({ title, points }: { title: string; points: TokenPoints }) {
  const box = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: points.tokens.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section ref={box} className="chart-table point-table" tabIndex={0} aria-label={title}>
      <table className="table dense" aria-rowcount={points.tokens.length + 1}>
        <thead>
          <tr>
            <th scope="col" className="num">
              {m.llm.tokens}
            </th>
            <th scope="col" className="num">
              {m.llm.duration}
            </th>
            <th scope="col" className="num">
              {m.llm.per100}
            </th>
            <th scope="col">{m.llm.model}</th>
            <th scope="col">{m.llm.outcome}</th>
            <th scope="col">{m.llm.started}</th>
          </tr>
        </thead>
        <tbody>
          {above > 0 && (
            <tr aria-hidden>
              <td colSpan={6} style={{ height: above }} />
            </tr>
          )}
          {items.map(({ index: i }) => {
            const tokens = points.tokens[i] ?? 0;
            const duration = points.duration_us[i] ?? 0;
            return (
              <tr key={i} aria-rowindex={i + 2}>
                <td className="num">{whole(tokens)}</td>
                <td className="num">{format.duration(duration)}</td>
                <td className="num">{tokens > 0 ? format.duration((duration * 100) / tokens) : format.missing}</td>
                <td>{points.models[points.model[i] ?? -1] ?? m.common.unknown}</td>
                <td>{points.failed[i] ? m.common.failed : ''}</td>
                <td className="nowrap">{format.dateTime(points.timestamp_us[i])}</td>
              </tr>
            );
          })}
          {below > 0 && (
            <tr aria-hidden>
              <td colSpan={6} style={{ height: below }} />
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}
