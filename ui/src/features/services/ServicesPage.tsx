/** Is anything wrong right now, and where? */

import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ServiceList, ServiceSummary } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { WidenTo } from '../../components/empty';
import { Badge } from '../../components/figures';
import { PageHead } from '../../components/panel';
import { Empty, FilteredAway, Loaded, Partial, RemoveEnvironment } from '../../components/states';
import { summaryColumns } from '../../components/summarycolumns';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { useTitle } from '../../components/title';
import { Go, useView } from '../../components/view';

export function ServicesPage({ query }: { query: UseQueryResult<ServiceList, Error> }) {
  useTitle(m.services.title);
  const { q, env } = useView();
  return (
    <div className="page">
      <PageHead title={m.services.title} note={query.data ? format.count(query.data.services.length) : undefined}>
        <FilterBox label={m.services.filter} />
      </PageHead>
      <Loaded query={query} rows={6}>
        {(data) => {
          const rows = filterRows(data.services, q, (s) => [s.name, s.agent_name, ...s.environments]);
          return (
            <>
              <Partial complete={data.complete} />
              {rows.length > 0 ? (
                <Services rows={rows} />
              ) : data.services.length > 0 ? (
                <FilteredAway filter={q ?? ''} />
              ) : (
                <Empty title={m.states.rangeTitle} text={env ? m.states.envText(env) : m.states.rangeText}>
                  <RemoveEnvironment />
                  {data.newest_event_us != null && <WidenTo newestUs={data.newest_event_us} />}
                </Empty>
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function Services({ rows }: { rows: readonly ServiceSummary[] }) {
  const columns = useMemo<Column<ServiceSummary>[]>(
    () => [
      {
        key: 'name',
        title: m.services.service,
        width: '36%',
        value: (s) => s.name,
        cell: (s) => (
          <span className="name-cell">
            <Go to="/services/$service" params={{ service: s.name }} className="row-link">
              {s.name}
            </Go>
            {s.agent_name && <span className="dim small">{s.agent_name}</span>}
            {s.environments.map((env) => (
              <Badge key={env}>{env}</Badge>
            ))}
          </span>
        ),
      },
      ...summaryColumns<ServiceSummary>({ sparklines: true, impact: false, failed: m.figures.failedRate }),
      {
        key: 'errors',
        title: m.services.errors,
        numeric: true,
        optional: true,
        value: (s) => s.errors,
        cell: (s) =>
          s.errors > 0 ? (
            <Go to="/services/$service/errors" params={{ service: s.name }}>
              {format.count(s.errors)}
            </Go>
          ) : (
            <span className="dim">0</span>
          ),
      },
    ],
    [],
  );
  return <DataTable label={m.services.title} rows={rows} columns={columns} rowKey={(s) => s.name} />;
}
