/** Which of these requests are slow, and what is one of them made of? */

import { ChevronLeft, ChevronRight } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { samplesQuery, transactionQuery } from '../../api/queries';
import type { TraceSample, TransactionDetail } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { Crumbs } from '../../components/crumbs';
import { NothingHere } from '../../components/empty';
import { Figure, OutcomeMark } from '../../components/figures';
import { useHotkeys } from '../../components/hotkeys';
import { IconButton } from '../../components/iconbutton';
import { PageHead, Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { TimeChart } from '../../components/timechart';
import { useTitle } from '../../components/title';
import { Go, useData, useScope, useSetView, useView } from '../../components/view';
import type { Selection } from './bars';
import { Histogram } from './Histogram';

interface Props {
  service: string;
  name: string;
  renderTrace: (traceId: string) => ReactNode;
}

export function TransactionPage({ service, name, renderTrace }: Props) {
  const scope = useScope();
  const view = useView();
  const query = useData(transactionQuery(service, name, view.type ? { ...scope, type: view.type } : scope));
  useTitle(name, service);
  return (
    <div className="page">
      <PageHead
        title={name}
        crumbs={
          <Crumbs
            trail={[
              { to: '/', label: m.services.title },
              { to: '/services/$service', params: { service }, label: service },
              { to: '/services/$service/transactions', params: { service }, label: m.services.transactions },
            ]}
          />
        }
        note={query.data?.transaction_type}
      />
      <Loaded query={query} rows={10}>
        {(data) => (
          <>
            <Partial complete={data.complete} />
            {data.summary.count > 0 || data.distribution.buckets.length > 0 ? (
              <Found service={service} name={name} detail={data} renderTrace={renderTrace} />
            ) : (
              <NothingHere title={m.transaction.noneFound} />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Found({ service, name, detail, renderTrace }: Props & { detail: TransactionDetail }) {
  const scope = useScope();
  const view = useView();
  const setView = useSetView();
  const { axis, series, summary, distribution } = detail;
  const selection: Selection | null =
    view.min !== undefined && view.max !== undefined ? { min: view.min, max: view.max } : null;
  const query = useData(
    samplesQuery(service, name, {
      ...scope,
      ...(view.type ? { type: view.type } : {}),
      ...(selection ? { min_us: selection.min, max_us: selection.max } : {}),
    }),
  );
  const samples = query.data?.samples ?? [];
  const found = samples.findIndex((s) => s.transaction_id === view.sample);
  const at = found >= 0 ? found : 0;
  const sample = samples[at];
  const total = distribution.buckets.reduce((sum, b) => sum + b.count, 0);

  const show = (i: number) => {
    const next = samples[i];
    if (next) setView({ sample: next.transaction_id, span: undefined, t0: undefined, t1: undefined }, 'replace');
  };
  useHotkeys({
    n: () => !view.find && show(at + 1),
    p: () => show(at - 1),
  });

  const latency = useMemo(
    () => [
      { label: m.figures.shortAvg, values: series.latency_avg_us, color: 'chart-1' },
      { label: m.figures.shortP95, values: series.latency_p95_us, color: 'chart-2' },
      { label: m.figures.shortP99, values: series.latency_p99_us, color: 'chart-3' },
    ],
    [series],
  );
  const throughput = useMemo(
    () => [{ label: m.figures.perMinute, values: series.throughput_per_minute, color: 'chart-1', bars: true }],
    [series],
  );
  const failed = useMemo(
    () => [{ label: m.figures.failedRate, values: series.failure_rate, color: 'error', bars: true }],
    [series],
  );

  return (
    <>
      <dl className="figures">
        <Figure label={m.figures.average} value={format.duration(summary.latency_avg_us)} />
        <Figure label={m.figures.p95} value={format.duration(summary.latency_p95_us)} />
        <Figure label={m.figures.p99} value={format.duration(summary.latency_p99_us)} />
        <Figure
          label={m.figures.throughput}
          value={format.perMinute(summary.throughput_per_minute)}
          detail={m.figures.tpm}
        />
        <Figure
          label={m.figures.failedRate}
          value={format.percent(summary.failure_rate)}
          bad={(summary.failure_rate ?? 0) > 0}
        />
        <Figure label={m.figures.count} value={format.count(summary.count)} />
      </dl>
      <div className="charts">
        <TimeChart title={m.figures.latency} axis={axis} series={latency} format={format.duration} height={120} />
        <TimeChart
          title={m.figures.throughput}
          axis={axis}
          series={throughput}
          format={format.perMinute}
          height={120}
        />
        <TimeChart
          title={m.figures.failedTransactions}
          axis={axis}
          series={failed}
          format={format.percent}
          max={0.01}
          height={120}
        />
      </div>
      <Panel
        title={m.transaction.distribution}
        note={m.transaction.selectHelp}
        actions={
          <span className="legend dim small">
            {sample && (
              <span>
                <i className="dot color-accent" />
                {m.transaction.current}
              </span>
            )}
            {distribution.buckets.some((b) => b.failed > 0) && (
              <span>
                <i className="line-mark color-error" />
                {m.transaction.failedBars}
              </span>
            )}
          </span>
        }
      >
        <Histogram
          buckets={distribution.buckets}
          p50={summary.latency_p50_us}
          p95={summary.latency_p95_us}
          current={sample?.duration_us}
          selection={selection}
          label={m.transaction.distributionSummary(
            format.count(total),
            format.duration(summary.latency_p50_us),
            format.duration(summary.latency_p95_us),
          )}
          onSelect={(next) => setView({ min: next?.min, max: next?.max, sample: undefined, span: undefined })}
        />
        <RangeFields selection={selection}>
          {selection && query.data && (
            <span role="status">
              {m.transaction.selection(
                query.data.selected,
                total,
                format.percent(total > 0 ? query.data.selected / total : null),
              )}
            </span>
          )}
          <span className="grow" />
          <CorrelationLinks service={service} name={name} selection={selection} />
        </RangeFields>
      </Panel>
      <Panel
        title={m.transaction.samples}
        className="sample"
        actions={
          sample && (
            <>
              <SampleFacts sample={sample} />
              <span className="pager">
                <IconButton label={`${m.common.previous} (p)`} disabled={at === 0} onClick={() => show(at - 1)}>
                  <ChevronLeft size={15} aria-hidden />
                </IconButton>
                <span aria-live="polite">{m.transaction.sampleOf(at + 1, samples.length)}</span>
                <IconButton
                  label={`${m.common.next} (n)`}
                  disabled={at >= samples.length - 1}
                  onClick={() => show(at + 1)}
                >
                  <ChevronRight size={15} aria-hidden />
                </IconButton>
              </span>
              <Go
                to="/traces/$traceId"
                params={{ traceId: sample.trace_id }}
                search={view.span ? { span: view.span } : {}}
                className="button"
              >
                {m.common.openTrace}
              </Go>
            </>
          )
        }
      >
        <Loaded query={query} rows={8}>
          {() => (sample ? renderTrace(sample.trace_id) : <p className="dim pad">{m.transaction.noSamples}</p>)}
        </Loaded>
      </Panel>
    </>
  );
}

/** Leads to what goes along with slowness, failure, or the selection. */
function CorrelationLinks({
  service,
  name,
  selection,
}: {
  service: string;
  name: string;
  selection: Selection | null;
}) {
  const { type } = useView();
  const group = { service, name, type };
  return (
    <span className="correlation-links">
      {selection && (
        <Go
          to="/correlations"
          search={{ ...group, of: 'selection', points: 'transactions', min: selection.min, max: selection.max }}
        >
          {m.correlations.why}
        </Go>
      )}
      <span>
        {m.correlations.fromHere}{' '}
        <Go to="/correlations" search={group}>
          {m.correlations.slowness}
        </Go>
        {' · '}
        <Go to="/correlations" search={{ ...group, of: 'failures' }}>
          {m.correlations.failing}
        </Go>
      </span>
    </span>
  );
}

function SampleFacts({ sample }: { sample: TraceSample }) {
  return (
    <span className="sample-facts">
      <b>{format.duration(sample.duration_us)}</b>
      <OutcomeMark outcome={sample.outcome} short />
      <span className="dim">{format.dateTime(sample.timestamp_us)}</span>
    </span>
  );
}

const inMs = (us: number | undefined) => (us === undefined ? '' : String(us / 1000));

/** The keyboard's way to do what dragging does. */
function RangeFields({ selection, children }: { selection: Selection | null; children: ReactNode }) {
  const setView = useSetView();
  const [min, setMin] = useState(inMs(selection?.min));
  const [max, setMax] = useState(inMs(selection?.max));
  useEffect(() => {
    setMin(inMs(selection?.min));
    setMax(inMs(selection?.max));
  }, [selection?.min, selection?.max]);
  const low = Math.round(Number(min || 0) * 1000);
  const high = Math.round(Number(max) * 1000);
  const valid = max !== '' && low >= 0 && high > low;
  return (
    <form
      className="range-fields"
      aria-label={m.transaction.select}
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) setView({ min: low, max: high, sample: undefined, span: undefined });
      }}
    >
      <label>
        {m.transaction.fromMs}
        <input
          className="input"
          type="number"
          min="0"
          step="any"
          value={min}
          onChange={(event) => setMin(event.target.value)}
        />
      </label>
      <label>
        {m.transaction.toMs}
        <input
          className="input"
          type="number"
          min="0"
          step="any"
          value={max}
          onChange={(event) => setMax(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={!valid}>
        {m.common.apply}
      </button>
      {selection && (
        <button
          type="button"
          className="button quiet"
          onClick={() => setView({ min: undefined, max: undefined, sample: undefined })}
        >
          {m.transaction.clearSelection}
        </button>
      )}
      {children}
    </form>
  );
}
