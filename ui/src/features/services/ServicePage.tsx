/** What does this service do, how well, and with what behind it? */

import { type ReactNode, useMemo } from 'react';
import { serviceQuery } from '../../api/queries';
import type { ServiceDetail, SpanTypeTime } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { Crumbs } from '../../components/crumbs';
import { NothingHere } from '../../components/empty';
import { Figure } from '../../components/figures';
import { PageHead, Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { TimeChart } from '../../components/timechart';
import { useTitle } from '../../components/title';
import { Go, useData, useScope, useSetView, useView } from '../../components/view';

const tabs = [
  ['overview', '/services/$service', () => m.services.overview],
  ['transactions', '/services/$service/transactions', () => m.services.transactions],
  ['dependencies', '/services/$service/dependencies', () => m.services.dependencies],
  ['errors', '/services/$service/errors', () => m.services.errors],
] as const;

export function useService(service: string) {
  const scope = useScope();
  const { type } = useView();
  return useData(serviceQuery(service, type ? { ...scope, type } : scope));
}

/** Head and tabs that all screens of a service share. */
export function ServiceFrame({
  service,
  tab,
  children,
}: {
  service: string;
  tab: (typeof tabs)[number][0];
  children: ReactNode;
}) {
  const { data } = useService(service);
  const { type } = useView();
  useTitle(service, tabs.find(([key]) => key === tab)?.[2]() ?? '');
  return (
    <div className="page">
      <PageHead
        title={service}
        crumbs={<Crumbs trail={[{ to: '/', label: m.services.title }]} />}
        note={data?.agents.join(', ')}
      >
        {data && (tab === 'overview' || tab === 'transactions') && <TypePicker detail={data} />}
      </PageHead>
      <nav className="page-tabs" aria-label={m.services.tabs}>
        {tabs.map(([key, to, label]) => (
          <Go
            key={key}
            to={to}
            params={{ service }}
            search={type ? { type } : {}}
            className={key === tab ? 'page-tab here' : 'page-tab'}
            {...(key === tab ? { 'aria-current': 'page' as const } : {})}
          >
            {label()}
          </Go>
        ))}
      </nav>
      {children}
    </div>
  );
}

function TypePicker({ detail }: { detail: ServiceDetail }) {
  const setView = useSetView();
  if (detail.transaction_types.length < 2) return null;
  return (
    <label className="select">
      <span className="dim small">{m.services.transactionType}</span>
      <select
        value={detail.transaction_type ?? ''}
        onChange={(event) => setView({ type: event.target.value || undefined })}
      >
        {detail.transaction_types.map((type) => (
          <option key={type} value={type}>
            {type}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Parts {
  service: string;
  transactions: ReactNode;
  dependencies: ReactNode;
  errors: ReactNode;
}

export function ServiceOverview({ service, transactions, dependencies, errors }: Parts) {
  const query = useService(service);
  const { type } = useView();
  const all = (
    to: '/services/$service/transactions' | '/services/$service/dependencies' | '/services/$service/errors',
  ) => (
    <Go to={to} params={{ service }} search={type ? { type } : {}}>
      {m.services.viewAll}
    </Go>
  );
  return (
    <Loaded query={query} rows={10}>
      {(data) =>
        data.agents.length === 0 && data.transaction_types.length === 0 ? (
          <NothingHere />
        ) : (
          <>
            <Partial complete={data.complete} />
            {data.transaction_type ? <Charts detail={data} /> : <p className="dim">{m.services.noTransactions}</p>}
            <div className="columns">
              {data.transaction_type && (
                <Panel title={m.services.topTransactions} actions={all('/services/$service/transactions')}>
                  {transactions}
                </Panel>
              )}
              <Panel title={m.services.topDependencies} actions={all('/services/$service/dependencies')}>
                {dependencies}
              </Panel>
              <Panel title={m.services.timeByType} note={m.services.timeByTypeNote}>
                <TimeByType types={data.time_by_span_type} />
              </Panel>
              <Panel title={m.services.topErrors} actions={all('/services/$service/errors')}>
                {errors}
              </Panel>
            </div>
            <Panel title={m.services.about}>
              <dl className="facts wide">
                <List name={m.services.agents} values={data.agents} />
                <List name={m.services.runtimes} values={data.runtimes} />
                <List name={m.services.versions} values={data.versions} />
                <List name={m.services.environments} values={data.environments} />
                <List name={m.services.instances} values={data.instances} />
              </dl>
            </Panel>
          </>
        )
      }
    </Loaded>
  );
}

function List({ name, values }: { name: string; values: readonly string[] }) {
  const shown = values.slice(0, 20);
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {values.length === 0 ? (
          <span className="dim">{m.common.unknown}</span>
        ) : (
          `${shown.join(', ')}${values.length > shown.length ? `, ${m.common.more(values.length - shown.length)}` : ''}`
        )}
      </dd>
    </div>
  );
}

export function SummaryFigures({ summary }: { summary: ServiceDetail['summary'] }) {
  return (
    <dl className="figures">
      <Figure label={m.figures.average} value={format.duration(summary.latency_avg_us)} />
      <Figure label={m.figures.p50} value={format.duration(summary.latency_p50_us)} />
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
  );
}

function Charts({ detail }: { detail: ServiceDetail }) {
  const { series, axis } = detail;
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
      <SummaryFigures summary={detail.summary} />
      <div className="charts">
        <TimeChart title={m.figures.latency} axis={axis} series={latency} format={format.duration} />
        <TimeChart title={m.figures.throughput} axis={axis} series={throughput} format={format.perMinute} />
        <TimeChart
          title={m.figures.failedTransactions}
          axis={axis}
          series={failed}
          format={format.percent}
          max={0.01}
        />
      </div>
    </>
  );
}

function TimeByType({ types }: { types: readonly SpanTypeTime[] }) {
  if (types.length === 0) return <p className="dim pad">{m.services.noBreakdown}</p>;
  const label = (t: SpanTypeTime) =>
    t.span_type === 'app' ? m.services.ownCode : t.span_subtype ? `${t.span_type} / ${t.span_subtype}` : t.span_type;
  return (
    <table className="table" aria-label={m.services.timeByType}>
      <thead>
        <tr>
          <th scope="col">{m.services.spanType}</th>
          <th scope="col">{m.services.share}</th>
          <th scope="col" className="num">
            {m.services.selfTime}
          </th>
          <th scope="col" className="num">
            {m.figures.count}
          </th>
        </tr>
      </thead>
      <tbody>
        {types.slice(0, 8).map((t) => (
          <tr key={`${t.span_type}/${t.span_subtype ?? ''}`}>
            <td>{label(t)}</td>
            <td className="bar-cell">
              <span className="impact">
                <span className="impact-track" aria-hidden>
                  <span className="impact-fill" style={{ width: `${Math.max(1, t.share * 100)}%` }} />
                </span>
                <span className="num">{format.percent(t.share)}</span>
              </span>
            </td>
            <td className="num">{format.duration(t.sum_us)}</td>
            <td className="num">{format.count(t.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
