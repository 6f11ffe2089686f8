/** When does the first word come, and does the rest flow? */

import { useMemo } from 'react';
import { streamingQuery } from '../../api/queries';
import type { ModelStreaming, StreamingAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { fraction, whole } from '../../base/numbers';
import { selectionOf } from '../../base/view';
import { type Bar, DistributionPanel } from '../../components/distribution';
import { Figure } from '../../components/figures';
import { NothingMatches } from '../../components/nothingmatches';
import { Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { type Column, DataTable } from '../../components/table';
import { TimeChart } from '../../components/timechart';
import { useTitle } from '../../components/title';
import { useData, useView } from '../../components/view';
import { LlmFrame } from './LlmFrame';
import { StalledList } from './StalledList';

export function StreamingPage() {
  useTitle(m.llm.streamingTab, m.llm.title);
  const query = useData(streamingQuery(selectionOf(useView())));
  const models = query.data?.models.map((row) => row.model).filter((name) => name !== null) ?? [];
  return (
    <LlmFrame tab="streaming" lead={m.llm.streamingLead} models={models}>
      <Loaded query={query} rows={12}>
        {(data) => (
          <>
            <Partial complete={data.complete} />
            {data.total.calls > 0 ? (
              <Found data={data} />
            ) : (
              <NothingMatches
                title={m.llm.noStreamTitle}
                text={data.not_streamed > 0 ? m.llm.notStreamed(data.not_streamed) : m.llm.noStreamText}
              />
            )}
          </>
        )}
      </Loaded>
    </LlmFrame>
  );
}

/** Tokens a second, or how many times in a hundred. */
function rate(value: number | null | undefined): string {
  return value === null || value === undefined
    ? format.missing
    : value < 10
      ? fraction(value)
      : format.count(Math.round(value));
}

function stallsPer100(stalls: number, answers: number): number | null {
  return answers > 0 ? (stalls / answers) * 100 : null;
}

function Found({ data }: { data: StreamingAnswer }) {
  const { total, series, axis } = data;
  const first = useMemo(
    () => [
      { label: m.figures.shortP50, values: series.time_to_first_token_p50_us, color: 'chart-1' },
      { label: m.figures.shortP95, values: series.time_to_first_token_p95_us, color: 'chart-2' },
    ],
    [series],
  );
  const between = useMemo(
    () => [{ label: m.figures.shortP50, values: series.inter_token_p50_us, color: 'chart-1' }],
    [series],
  );
  const speed = useMemo(
    () => [{ label: m.figures.shortP50, values: series.tokens_per_second_p50, color: 'chart-1' }],
    [series],
  );
  const stalls = useMemo(() => [{ label: m.llm.stalls, values: series.stalls, color: 'error', bars: true }], [series]);
  return (
    <>
      <dl className="figures">
        <Figure label={m.llm.streamed} value={<span title={whole(total.calls)}>{format.count(total.calls)}</span>} />
        <Figure label={m.llm.ttftP50} value={format.duration(total.time_to_first_token_p50_us)} />
        <Figure label={m.llm.ttftP95} value={format.duration(total.time_to_first_token_p95_us)} />
        <Figure label={m.llm.interTokenP50} value={format.duration(total.inter_token_p50_us)} />
        <Figure label={m.llm.rate} value={rate(total.tokens_per_second_p50)} detail={m.llm.perSecond} />
        <Figure
          label={m.llm.stallsPer100}
          value={<span title={m.llm.stallsHelp}>{rate(stallsPer100(total.stalls, total.with_gaps))}</span>}
        />
        <Figure
          label={m.llm.stallTime}
          value={total.with_gaps > 0 ? format.duration(total.stall_us) : format.missing}
        />
      </dl>
      {data.not_streamed > 0 && <p className="dim small">{m.llm.notStreamed(data.not_streamed)}</p>}
      <div className="charts four">
        <TimeChart title={m.llm.ttft} axis={axis} series={first} format={format.duration} height={120} />
        <TimeChart title={m.llm.interToken} axis={axis} series={between} format={format.duration} height={120} />
        <TimeChart title={m.llm.rate} axis={axis} series={speed} format={rate} height={120} />
        <TimeChart title={m.llm.stalls} axis={axis} series={stalls} format={format.count} max={1} height={120} />
      </div>
      <div className="charts">
        <AnswerBars title={m.llm.distTtft} bars={durationBars(data.time_to_first_token)} show={format.duration} />
        <AnswerBars title={m.llm.distInter} bars={durationBars(data.inter_token)} show={format.duration} />
        <AnswerBars title={m.llm.distRate} bars={data.tokens_per_second} show={(v) => `${rate(v)} /s`} />
      </div>
      <Panel title={m.llm.models}>
        <ModelTable rows={data.models} />
      </Panel>
      <Panel title={m.llm.stalledTitle} note={data.stalled.length > 0 ? m.llm.stalledNote : undefined}>
        {data.stalled.length > 0 ? (
          <StalledList answers={data.stalled} />
        ) : (
          <p className="dim pad panel-text">{m.llm.noStalled}</p>
        )}
      </Panel>
    </>
  );
}

const durationBars = (bars: StreamingAnswer['inter_token']): Bar[] =>
  bars.map((b) => ({ from: b.from_us, to: b.to_us, count: b.count }));

function AnswerBars({ title, bars, show }: { title: string; bars: readonly Bar[]; show: (value: number) => string }) {
  const total = bars.reduce((sum, b) => sum + b.count, 0);
  const most = bars.reduce<Bar | undefined>((best, b) => (best && best.count >= b.count ? best : b), undefined);
  return (
    <DistributionPanel
      title={title}
      bars={bars}
      show={show}
      counted={m.llm.answers}
      summary={
        most
          ? m.llm.distSummary(`${whole(total)} ${m.llm.answers}`, `${show(most.from)} – ${show(most.to)}`)
          : m.common.none
      }
    />
  );
}

function ModelTable({ rows }: { rows: readonly ModelStreaming[] }) {
  const columns = useMemo<Column<ModelStreaming>[]>(
    () => [
      {
        key: 'model',
        title: m.llm.model,
        value: (r) => r.model,
        cell: (r) => r.model ?? <span className="dim">{m.llm.unknownModel}</span>,
      },
      {
        key: 'calls',
        title: m.llm.answers,
        numeric: true,
        value: (r) => r.figures.calls,
        cell: (r) => whole(r.figures.calls),
      },
      {
        key: 'ttft',
        title: m.llm.ttftP50,
        numeric: true,
        value: (r) => r.figures.time_to_first_token_p50_us,
        cell: (r) => format.duration(r.figures.time_to_first_token_p50_us),
      },
      {
        key: 'ttft95',
        title: m.figures.shortP95,
        help: m.llm.ttftP95,
        numeric: true,
        optional: true,
        value: (r) => r.figures.time_to_first_token_p95_us,
        cell: (r) => format.duration(r.figures.time_to_first_token_p95_us),
      },
      {
        key: 'between',
        title: m.llm.interToken,
        help: m.llm.interTokenP50,
        numeric: true,
        optional: true,
        value: (r) => r.figures.inter_token_p50_us,
        cell: (r) => format.duration(r.figures.inter_token_p50_us),
      },
      {
        key: 'rate',
        title: m.llm.rate,
        numeric: true,
        value: (r) => r.figures.tokens_per_second_p50,
        cell: (r) => rate(r.figures.tokens_per_second_p50),
      },
      {
        key: 'stalls',
        title: m.llm.stallsPer100,
        help: m.llm.stallsHelp,
        numeric: true,
        value: (r) => stallsPer100(r.figures.stalls, r.figures.with_gaps),
        cell: (r) => rate(stallsPer100(r.figures.stalls, r.figures.with_gaps)),
      },
    ],
    [],
  );
  return <DataTable label={m.llm.models} rows={rows} columns={columns} rowKey={(r) => r.model ?? ''} sort="-calls" />;
}
