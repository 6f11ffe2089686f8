/** Columns that every table of calls or transactions has: latency, throughput, failures. */

import type { Summary, SummarySeries } from '../api/types';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { FailedRate, ImpactBar } from './figures';
import { Sparkline } from './sparkline';
import type { Column } from './table';

interface Row {
  summary: Summary;
  series?: SummarySeries;
  impact?: number;
}

export function summaryColumns<T extends Row>(options: {
  sparklines: boolean;
  impact: boolean;
  failed: string;
  compact?: boolean;
}): Column<T>[] {
  const spark = options.sparklines;
  const columns: Column<T>[] = [
    {
      key: 'avg',
      title: m.figures.latencyAvg,
      numeric: true,
      value: (row) => row.summary.latency_avg_us,
      cell: (row) => (
        <span className="with-spark">
          {spark && row.series && <Sparkline values={row.series.latency_avg_us} />}
          <span title={format.exactDuration(row.summary.latency_avg_us)}>
            {format.duration(row.summary.latency_avg_us)}
          </span>
        </span>
      ),
    },
    {
      key: 'p95',
      title: m.figures.shortP95,
      help: m.figures.p95,
      numeric: true,
      optional: true,
      value: (row) => row.summary.latency_p95_us,
      cell: (row) => (
        <span title={format.exactDuration(row.summary.latency_p95_us)}>
          {format.duration(row.summary.latency_p95_us)}
        </span>
      ),
    },
    {
      key: 'throughput',
      title: m.figures.throughput,
      numeric: true,
      optional: true,
      value: (row) => row.summary.throughput_per_minute,
      cell: (row) => (
        <span className="with-spark">
          {spark && !options.impact && row.series && (
            <Sparkline values={row.series.throughput_per_minute} tone="dim" bars />
          )}
          <span>
            {format.perMinute(row.summary.throughput_per_minute)} <span className="dim">{m.figures.tpm}</span>
          </span>
        </span>
      ),
    },
    {
      key: 'failed',
      title: options.failed,
      numeric: true,
      value: (row) => row.summary.failure_rate,
      cell: (row) => (
        <span className="with-spark">
          {spark && row.series && <Sparkline values={row.series.failure_rate} tone="error" bars />}
          <FailedRate rate={row.summary.failure_rate} />
        </span>
      ),
    },
  ];
  if (options.compact) columns.splice(1, 1);
  if (options.impact) {
    columns.push({
      key: 'impact',
      title: m.figures.impact,
      help: m.figures.impactHelp,
      numeric: true,
      width: options.compact ? '9rem' : '11rem',
      value: (row) => row.impact,
      cell: (row) => <ImpactBar share={row.impact ?? 0} />,
    });
  }
  return columns;
}
