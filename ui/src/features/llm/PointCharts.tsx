/** Tokens against duration, and against the duration per 100 tokens: the same points, one selection. */

import { type ReactNode, useMemo, useState } from 'react';
import type { TokenFit, TokenPoints, TokensAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { fraction, whole } from '../../base/numbers';
import { axisEnd, type Box } from '../../base/scatter';
import { Panel } from '../../components/panel';
import { Scatter, ScatterLegend } from '../../components/scatter';
import { densityFrom } from '../../components/scatterdraw';
import { TableToggle } from '../../components/tabletoggle';
import { useSetView } from '../../components/view';
import { BoxFields } from './BoxFields';
import { PointTable } from './PointTable';
import { boxView, durationPoints, extent, fitLines, per100End, per100Line, per100Points } from './points';

const height = 330;

/** `≈ 4.00 s per 100 tokens + 600 ms`. */
export function fitText(fit: TokenFit): string {
  return m.llm.fit(format.duration(fit.us_per_token * 100), format.duration(Math.max(0, fit.intercept_us)));
}

interface Props {
  data: TokensAnswer;
  box: Box | null;
  mask: Uint8Array | null;
  hidden: ReadonlySet<number>;
  onToggle: (group: number) => void;
}

export function PointCharts({ data, box, mask, hidden, onToggle }: Props) {
  const setView = useSetView();
  const { points, fits, per_100_tokens: ranges } = data;
  const long = useMemo(() => durationPoints(points), [points]);
  const flat = useMemo(() => per100Points(points), [points]);
  const lines = useMemo(() => fitLines(fits, points.models), [fits, points]);
  const medians = useMemo(() => per100Line(ranges), [ranges]);
  const end = useMemo(() => per100End(flat.y, ranges), [flat, ranges]);
  const above = useMemo(() => Array.from(flat.y).filter((y) => y > end).length, [flat, end]);
  const failed = useMemo(() => points.failed.filter(Boolean).length, [points]);
  const unknownModel = useMemo(() => points.model.some((i) => i < 0), [points]);
  const named = (n: number) => (data.of === 'calls' ? m.llm.nCalls(n) : m.llm.nTransactions(n));

  const tokens = extent(points.tokens);
  const durations = extent(points.duration_us);
  const all = fits.find((f) => !f.model);
  const summary = m.llm.summary(
    named(data.matching),
    `${whole(tokens.min)}–${whole(tokens.max)}`,
    `${format.duration(durations.min)} – ${format.duration(durations.max)}`,
    all ? `${fitText(all)}, ${m.llm.fitStats(fraction(all.r_squared), whole(all.count))}.` : m.llm.noFit,
    failed > 0 ? m.llm.summaryFailed(whole(failed)) : '',
  );
  const tip = (i: number): ReactNode => <PointTip points={points} i={i} />;
  const shared = { points: long, group: points.model, failed: points.failed, hidden, mask, height, tip } as const;
  const tokenText = (value: number) => format.count(value);
  const first = ranges.find((r) => r.count > 0);
  const last = ranges.findLast((r) => r.count > 0);
  return (
    <>
      <div className="scatter-tools">
        <ScatterLegend
          label={m.llm.legend}
          names={points.models}
          hidden={hidden}
          onToggle={onToggle}
          {...(unknownModel ? { unknown: m.llm.unknownModel } : {})}
          {...(failed > 0 ? { failed: m.llm.failedPoints } : {})}
        />
        {points.tokens.length > densityFrom && <span className="dim small">{m.llm.density}</span>}
      </div>
      <div className="columns">
        <ChartPanel title={m.llm.durationTitle} note={m.llm.drag} points={points}>
          <Scatter
            {...shared}
            lines={lines}
            box={box}
            axes="xy"
            xTitle={m.llm.tokens}
            yTitle={m.llm.duration}
            xText={tokenText}
            yText={format.duration}
            summary={summary}
            onSelect={(next) => setView(boxView(next))}
          />
        </ChartPanel>
        <ChartPanel title={m.llm.per100Title} note={m.llm.dragTokens} points={points}>
          <Scatter
            {...shared}
            points={flat}
            lines={medians}
            box={box?.x ? { x: box.x, y: null } : null}
            axes="x"
            xTitle={m.llm.tokens}
            yTitle={m.llm.durationPer100}
            xText={tokenText}
            yText={format.duration}
            yMax={end}
            summary={m.llm.per100Summary(
              named(data.matching),
              format.duration(first?.p50_us),
              format.duration(last?.p50_us),
            )}
            onSelect={(next) => setView(boxView(next))}
          />
          <p className="dim small pad">
            <span className="line-mark wide" aria-hidden /> {m.llm.band}. {above > 0 && m.llm.above(above)}
          </p>
        </ChartPanel>
      </div>
      <div className="panel">
        <BoxFields
          tokensEnd={Math.ceil(axisEnd(points.tokens)) + 1}
          durationEnd={Math.ceil(axisEnd(points.duration_us)) + 1}
        />
      </div>
      <p className="meaning">{m.llm.meaning}</p>
    </>
  );
}

function ChartPanel({
  title,
  note,
  points,
  children,
}: {
  title: string;
  note: string;
  points: TokenPoints;
  children: ReactNode;
}) {
  const [asTable, setAsTable] = useState(false);
  return (
    <Panel
      title={title}
      note={note}
      className="chart-panel"
      actions={<TableToggle on={asTable} onChange={setAsTable} />}
    >
      {asTable ? <PointTable title={title} points={points} /> : children}
    </Panel>
  );
}

function PointTip({ points, i }: { points: TokenPoints; i: number }) {
  const tokens = points.tokens[i] ?? 0;
  const duration = points.duration_us[i] ?? 0;
  return (
    <>
      <b>{points.models[points.model[i] ?? -1] ?? m.llm.unknownModel}</b>
      <span>
        {m.llm.tokens} {whole(tokens)}
      </span>
      <span>
        {m.llm.duration} {format.duration(duration)} ({format.exactDuration(duration)})
      </span>
      {tokens > 0 && (
        <span>
          {m.llm.durationPer100} {format.duration((duration * 100) / tokens)}
        </span>
      )}
      <span className="dim">{format.exactDateTime(points.timestamp_us[i])}</span>
      {points.failed[i] && <span className="error-text">✕ {m.common.failed}</span>}
    </>
  );
}
