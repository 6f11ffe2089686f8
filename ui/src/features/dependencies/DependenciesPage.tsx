/** Who do I wait for? */

import { useMemo } from 'react';
import { dependenciesQuery } from '../../api/queries';
import type { DependencySummary } from '../../api/types';
import { m } from '../../base/i18n';
import { NothingHere } from '../../components/empty';
import { Badge } from '../../components/figures';
import { PageHead } from '../../components/panel';
import { FilteredAway, Loaded, Partial } from '../../components/states';
import { summaryColumns } from '../../components/summarycolumns';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { useTitle } from '../../components/title';
import { Go, useData, useScope, useView } from '../../components/view';

export function kindName(kind: string): string {
  return m.dependencies.types[kind] ?? kind;
}

export function DependenciesPage() {
  useTitle(m.dependencies.title);
  return (
    <div className="page">
      <PageHead title={m.dependencies.title} note={m.dependencies.lead}>
        <FilterBox label={m.dependencies.filter} />
      </PageHead>
      <DependencyTable />
    </div>
  );
}

export function DependencyTable({ service, limit }: { service?: string; limit?: number }) {
  const scope = useScope();
  const { q } = useView();
  const query = useData(dependenciesQuery(service ? { ...scope, service } : scope));
  const columns = useMemo<Column<DependencySummary>[]>(() => {
    const name: Column<DependencySummary> = {
      key: 'resource',
      title: m.dependencies.dependency,
      width: '22%',
      value: (d) => d.resource,
      cell: (d) => (
        <span className="name-cell">
          <Go to="/dependencies/$resource" params={{ resource: d.resource }} className="row-link">
            {d.resource}
          </Go>
          {!limit && <Badge>{kindName(d.type)}</Badge>}
        </span>
      ),
    };
    const models: Column<DependencySummary> = {
      key: 'models',
      title: m.dependencies.models,
      optional: true,
      cell: (d) =>
        d.models.length > 0 ? (
          <span className="small one-line" title={d.models.join(', ')}>
            {d.models.join(', ')}
          </span>
        ) : (
          <span className="dim">—</span>
        ),
    };
    const callers: Column<DependencySummary> = {
      key: 'callers',
      title: m.dependencies.callers,
      optional: true,
      cell: (d) => (
        <span className="small one-line" title={d.callers.join(', ')}>
          {d.callers.join(', ')}
        </span>
      ),
    };
    const figures = summaryColumns<DependencySummary>({
      sparklines: !limit,
      impact: true,
      failed: m.figures.errorRate,
      compact: limit !== undefined,
    });
    return limit ? [name, ...figures] : service ? [name, models, ...figures] : [name, models, callers, ...figures];
  }, [service, limit]);
  return (
    <Loaded query={query}>
      {(data) => {
        const rows = limit
          ? data.dependencies.slice(0, limit)
          : filterRows(data.dependencies, q, (d) => [d.resource, kindName(d.type), ...d.models, ...d.callers]);
        return (
          <>
            <Partial complete={data.complete} />
            {rows.length > 0 ? (
              <DataTable
                label={m.dependencies.title}
                rows={rows}
                columns={columns}
                rowKey={(d) => d.resource}
                sortable={!limit}
                sort="-impact"
              />
            ) : data.dependencies.length > 0 ? (
              <FilteredAway filter={q ?? ''} />
            ) : limit ? (
              <p className="dim pad">{m.common.none}</p>
            ) : (
              <NothingHere />
            )}
          </>
        );
      }}
    </Loaded>
  );
}
