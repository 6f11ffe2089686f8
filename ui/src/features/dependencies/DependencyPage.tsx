/** How does this dependency answer, whom, and for what? */

import { useMemo } from 'react';
import { dependencyQuery } from '../../api/queries';
import type { DependencyDetail, DependencyGroup, DependencySummary, TraceSample } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { Crumbs } from '../../components/crumbs';
import { NothingHere } from '../../components/empty';
import { Badge, Figure, OutcomeMark } from '../../components/figures';
import { PageHead, Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { summaryColumns } from '../../components/summarycolumns';
import { type Column, DataTable } from '../../components/table';
import { TimeChart } from '../../components/timechart';
import { useTitle } from '../../components/title';
import { Go, useData, useScope } from '../../components/view';
import { kindName } from './DependenciesPage';

export function DependencyPage({ resource }: { resource: string }) {
  const query = useData(dependencyQuery(resource, useScope()));
  useTitle(resource, m.dependencies.title);
  const dependency = query.data?.dependency;
  return (
    <div className="page">
      <PageHead
        title={resource}
        crumbs={<Crumbs trail={[{ to: '/dependencies', label: m.dependencies.title }]} />}
        note={dependency && kindName(dependency.type)}
      >
        {dependency?.models.map((model) => (
          <Badge key={model}>{model}</Badge>
        ))}
      </PageHead>
      <Loaded query={query} rows={10}>
        {(data) => (
          <>
            <Partial complete={data.complete} />
            {data.dependency ? (
              <Found detail={data} dependency={data.dependency} />
            ) : (
              <NothingHere title={m.dependencies.noneCalled} />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Found({ detail, dependency }: { detail: DependencyDetail; dependency: DependencySummary }) {
  const { series, summary } = dependency;
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
    () => [{ label: m.figures.errorRate, values: series.failure_rate, color: 'error', bars: true }],
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
          label={m.figures.errorRate}
          value={format.percent(summary.failure_rate)}
          bad={(summary.failure_rate ?? 0) > 0}
        />
        <Figure label={m.dependencies.calls} value={format.count(summary.count)} />
        <Figure label={m.figures.timeShare} value={format.percent(dependency.impact)} />
      </dl>
      {dependency.type === 'genai' && <p className="dim small">{m.dependencies.streamed}</p>}
      <div className="charts">
        <TimeChart title={m.figures.latency} axis={detail.axis} series={latency} format={format.duration} />
        <TimeChart title={m.figures.throughput} axis={detail.axis} series={throughput} format={format.perMinute} />
        <TimeChart
          title={m.figures.failedCalls}
          axis={detail.axis}
          series={failed}
          format={format.percent}
          max={0.01}
        />
      </div>
      <div className="columns">
        <Panel title={m.dependencies.callers}>
          <Groups label={m.dependencies.callers} title={m.dependencies.service} groups={detail.callers} service />
        </Panel>
        <Panel title={m.dependencies.operations}>
          <Groups label={m.dependencies.operations} title={m.dependencies.operation} groups={detail.operations} />
        </Panel>
      </div>
      <Panel title={m.dependencies.samples}>
        <Samples samples={detail.samples} />
      </Panel>
    </>
  );
}

function Groups({
  label,
  title,
  groups,
  service,
}: {
  label: string;
  title: string;
  groups: readonly DependencyGroup[];
  service?: boolean;
}) {
  const columns = useMemo<Column<DependencyGroup>[]>(
    () => [
      {
        key: 'name',
        title,
        width: '34%',
        cell: (g) =>
          service ? (
            <Go to="/services/$service" params={{ service: g.name }} className="row-link">
              {g.name}
            </Go>
          ) : (
            g.name
          ),
      },
      ...summaryColumns<DependencyGroup>({
        sparklines: false,
        impact: true,
        failed: m.figures.errorRate,
        compact: true,
      }),
    ],
    [title, service],
  );
  if (groups.length === 0) return <p className="dim pad">{m.common.none}</p>;
  return (
    <DataTable label={label} rows={groups} columns={columns} rowKey={(g) => g.name} sortable={false} sort="-impact" />
  );
}

function Samples({ samples }: { samples: readonly TraceSample[] }) {
  const columns = useMemo<Column<TraceSample>[]>(
    () => [
      {
        key: 'trace',
        title: m.traces.trace,
        cell: (s) => (
          <Go to="/traces/$traceId" params={{ traceId: s.trace_id }} className="row-link mono">
            {s.trace_id}
          </Go>
        ),
      },
      { key: 'outcome', title: m.traces.outcome, cell: (s) => <OutcomeMark outcome={s.outcome} /> },
      { key: 'duration', title: m.traces.duration, numeric: true, cell: (s) => format.duration(s.duration_us) },
      { key: 'started', title: m.traces.started, numeric: true, cell: (s) => format.dateTime(s.timestamp_us) },
    ],
    [],
  );
  if (samples.length === 0) return <p className="dim pad">{m.common.none}</p>;
  return (
    <DataTable
      label={m.dependencies.samples}
      rows={samples}
      columns={columns}
      rowKey={(s) => s.transaction_id}
      sortable={false}
    />
  );
}
