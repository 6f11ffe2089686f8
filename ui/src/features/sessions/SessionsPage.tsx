/** What did each person go through? */

import { useMemo } from 'react';
import { sessionsQuery } from '../../api/queries';
import type { SessionSummary } from '../../api/types';
import * as format from '../../base/format';
import { texts } from '../../base/i18n/spend';
import { dollars, whole } from '../../base/numbers';
import { selectionOf } from '../../base/view';
import { FilterChips } from '../../components/chips';
import { NothingMatches } from '../../components/nothingmatches';
import { PageHead } from '../../components/panel';
import { ServicePicker } from '../../components/servicepicker';
import { FilteredAway, Loaded, Partial } from '../../components/states';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { useTitle } from '../../components/title';
import { Go, useData, useView } from '../../components/view';

const size = 500;

export function SessionsPage() {
  const t = texts();
  useTitle(t.sessionsTitle);
  const view = useView();
  const query = useData(sessionsQuery({ ...selectionOf(view), size }));
  const columns = useColumns();
  return (
    <div className="page">
      <PageHead
        title={t.sessionsTitle}
        note={query.data ? t.newest(query.data.sessions.length, query.data.total) : t.sessionsLead}
      >
        <FilterBox label={t.filterSessions} />
      </PageHead>
      <div className="filters">
        <ServicePicker />
      </div>
      <FilterChips />
      <Loaded query={query} rows={10}>
        {(data) => {
          if (data.sessions.length === 0) return <NothingMatches title={t.noSessionsTitle} text={t.noSessionsText} />;
          const rows = filterRows(data.sessions, view.q, (s) => [s.id, s.user, ...s.services]);
          return (
            <>
              <Partial complete={data.complete} />
              {rows.length === 0 ? (
                <FilteredAway filter={view.q ?? ''} />
              ) : (
                <DataTable label={t.sessionsTitle} rows={rows} columns={columns} rowKey={(s) => s.id} sort="-last" />
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function useColumns(): Column<SessionSummary>[] {
  const t = texts();
  return useMemo<Column<SessionSummary>[]>(
    () => [
      {
        key: 'id',
        title: t.session,
        width: '24%',
        value: (s) => s.id,
        cell: (s) => (
          <Go to="/sessions/$id" params={{ id: s.id }} className="row-link">
            {s.id}
          </Go>
        ),
      },
      { key: 'user', title: t.user, optional: true, value: (s) => s.user, cell: (s) => s.user ?? format.missing },
      { key: 'turns', title: t.turns, numeric: true, value: (s) => s.turns, cell: (s) => whole(s.turns) },
      {
        key: 'failed',
        title: t.failed,
        numeric: true,
        value: (s) => s.failed,
        cell: (s) => <span className={s.failed > 0 ? 'error-text' : 'dim'}>{whole(s.failed)}</span>,
      },
      {
        key: 'waited',
        title: t.waited,
        help: t.waitedHelp,
        numeric: true,
        value: (s) => s.waited_us,
        cell: (s) => format.duration(s.waited_us),
      },
      {
        key: 'tokens',
        title: t.tokens,
        numeric: true,
        optional: true,
        value: (s) => s.total_tokens,
        cell: (s) => format.count(s.total_tokens),
      },
      {
        key: 'cost',
        title: t.cost,
        numeric: true,
        value: (s) => (s.usd === null || s.usd === undefined ? null : Number(s.usd)),
        cell: (s) => <span title={s.usd ? `${s.usd} USD` : undefined}>{dollars(s.usd)}</span>,
      },
      {
        key: 'last',
        title: t.lastTurn,
        numeric: true,
        optional: true,
        value: (s) => s.last_us,
        cell: (s) => <span title={format.exactDateTime(s.last_us)}>{format.dateTime(s.last_us)}</span>,
      },
    ],
    [t],
  );
}
