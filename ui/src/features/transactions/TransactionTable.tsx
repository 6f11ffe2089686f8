/** Which requests does this service answer, and which of them cost the most time? */

import { useMemo } from 'react';
import { transactionsQuery } from '../../api/queries';
import type { TransactionGroup } from '../../api/types';
import { m } from '../../base/i18n';
import { NothingHere } from '../../components/empty';
import { FilteredAway, Loaded, Partial } from '../../components/states';
import { summaryColumns } from '../../components/summarycolumns';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { Go, useData, useScope, useView } from '../../components/view';

export function TransactionTable({ service, type, limit }: { service: string; type?: string; limit?: number }) {
  const scope = useScope();
  const { q } = useView();
  const query = useData(transactionsQuery(service, type ? { ...scope, type } : scope));
  const kind = query.data?.transaction_type;
  const columns = useMemo<Column<TransactionGroup>[]>(
    () => [
      {
        key: 'name',
        title: m.services.transaction,
        width: '38%',
        value: (g) => g.name,
        // Those without a name have no page: their address would be that of the list.
        cell: (g) =>
          g.name ? (
            <Go
              to="/services/$service/transactions/$name"
              params={{ service, name: g.name }}
              search={kind ? { type: kind } : {}}
              className="row-link"
            >
              {g.name}
            </Go>
          ) : (
            <span className="dim">{m.common.unknown}</span>
          ),
      },
      ...summaryColumns<TransactionGroup>({
        sparklines: false,
        impact: true,
        failed: m.figures.failedRate,
        compact: limit !== undefined,
      }),
    ],
    [service, kind, limit],
  );
  return (
    <>
      {!limit && (
        <div className="toolbar">
          <FilterBox label={m.services.filterTransactions} />
        </div>
      )}
      <Loaded query={query}>
        {(data) => {
          const rows = limit ? data.groups.slice(0, limit) : filterRows(data.groups, q, (g) => [g.name]);
          return (
            <>
              <Partial complete={data.complete} />
              {rows.length > 0 ? (
                <DataTable
                  label={m.services.transactions}
                  rows={rows}
                  columns={columns}
                  rowKey={(g) => g.name}
                  sortable={!limit}
                  sort="-impact"
                />
              ) : data.groups.length > 0 ? (
                <FilteredAway filter={q ?? ''} />
              ) : (
                <NothingHere />
              )}
              {data.groups_omitted > 0 && !limit && (
                <p className="dim small pad">{m.services.groupsOmitted(data.groups_omitted)}</p>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}
