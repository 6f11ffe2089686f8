/** What breaks, since when, for whom? */

import { useMemo } from 'react';
import { errorsQuery } from '../../api/queries';
import type { ErrorGroup, SeriesAxis } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { NothingHere } from '../../components/empty';
import { Badge } from '../../components/figures';
import { PageHead } from '../../components/panel';
import { Sparkline } from '../../components/sparkline';
import { FilteredAway, Loaded, Partial } from '../../components/states';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { TimeChart } from '../../components/timechart';
import { useTitle } from '../../components/title';
import { Go, useData, useScope, useView } from '../../components/view';

export function ErrorsPage() {
  useTitle(m.errors.title);
  return (
    <div className="page">
      <PageHead title={m.errors.title}>
        <FilterBox label={m.errors.filter} />
      </PageHead>
      <ErrorTable />
    </div>
  );
}

export function Handled({ handled }: { handled: boolean | null | undefined }) {
  if (handled === false) return <Badge tone="error">{m.errors.unhandled}</Badge>;
  return handled ? <Badge>{m.errors.handled}</Badge> : null;
}

export function ErrorTable({ service, limit }: { service?: string; limit?: number }) {
  const scope = useScope();
  const { q } = useView();
  const query = useData(errorsQuery(service ? { ...scope, service } : scope));
  const columns = useMemo<Column<ErrorGroup>[]>(() => {
    const group: Column<ErrorGroup> = {
      key: 'message',
      title: m.errors.group,
      width: limit ? '60%' : '46%',
      value: (g) => g.message,
      cell: (g) => (
        <span className="error-cell">
          <Go to="/errors/$key" params={{ key: g.grouping_key }} search={{ service: g.service }} className="row-link">
            {g.exception_type ?? g.message}
          </Go>{' '}
          <Handled handled={g.handled} />
          {g.exception_type && <span className="clamp">{g.message}</span>}
          {g.culprit && <span className="mono small dim clamp">{g.culprit}</span>}
        </span>
      ),
    };
    const serviceColumn: Column<ErrorGroup> = {
      key: 'service',
      title: m.errors.service,
      optional: true,
      value: (g) => g.service,
      cell: (g) => (
        <Go to="/services/$service" params={{ service: g.service }}>
          {g.service}
        </Go>
      ),
    };
    const occurrences: Column<ErrorGroup> = {
      key: 'occurrences',
      title: m.errors.occurrences,
      numeric: true,
      value: (g) => g.occurrences,
      cell: (g) => (
        <span className="with-spark">
          <Sparkline values={g.series} tone="error" bars />
          {format.count(g.occurrences)}
        </span>
      ),
    };
    const last: Column<ErrorGroup> = {
      key: 'last',
      title: m.errors.lastSeen,
      numeric: true,
      value: (g) => g.last_seen_us,
      cell: (g) => <span title={format.exactDateTime(g.last_seen_us)}>{format.ago(g.last_seen_us, Date.now())}</span>,
    };
    const first: Column<ErrorGroup> = {
      key: 'first',
      title: m.errors.firstSeen,
      numeric: true,
      optional: true,
      value: (g) => g.first_seen_us,
      cell: (g) => <span title={format.exactDateTime(g.first_seen_us)}>{format.ago(g.first_seen_us, Date.now())}</span>,
    };
    if (limit) return [group, occurrences, last];
    return service ? [group, occurrences, first, last] : [group, serviceColumn, occurrences, first, last];
  }, [service, limit]);
  return (
    <Loaded query={query}>
      {(data) => {
        const rows = limit
          ? data.groups.slice(0, limit)
          : filterRows(data.groups, q, (g) => [g.message, g.exception_type, g.culprit, g.service]);
        return (
          <>
            <Partial complete={data.complete} />
            {!limit && data.groups.length > 0 && <Occurrences axis={data.axis} series={data.series} />}
            {rows.length > 0 ? (
              <DataTable
                label={m.errors.title}
                rows={rows}
                columns={columns}
                rowKey={(g) => `${g.service}/${g.grouping_key}`}
                sortable={!limit}
                sort="-occurrences"
              />
            ) : data.groups.length > 0 ? (
              <FilteredAway filter={q ?? ''} />
            ) : limit ? (
              <p className="dim pad">{m.errors.noneTitle}</p>
            ) : (
              <NothingHere title={m.errors.noneTitle} text={m.errors.noneText} />
            )}
            {data.groups_omitted > 0 && !limit && (
              <p className="dim small pad">{m.errors.groupsOmitted(data.groups_omitted)}</p>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

export function Occurrences({ axis, series }: { axis: SeriesAxis; series: readonly number[] }) {
  const shown = useMemo(() => [{ label: m.errors.occurrences, values: series, color: 'error', bars: true }], [series]);
  return <TimeChart title={m.errors.overTime} axis={axis} series={shown} format={format.count} height={110} />;
}
