/** Which requests came in lately? */

import { useMemo, useState } from 'react';
import { tracesQuery } from '../../api/queries';
import type { TraceSummary } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { selectionOf, type View } from '../../base/view';
import { FilterChips } from '../../components/chips';
import { OutcomeMark } from '../../components/figures';
import { NothingMatches } from '../../components/nothingmatches';
import { PageHead } from '../../components/panel';
import { FilteredAway, Loaded, Partial } from '../../components/states';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { useTitle } from '../../components/title';
import { Go, useData, useGo, useView } from '../../components/view';

/** The list knows no model and no type: a model is looked for as a field. */
function tracesOf(view: View) {
  const { model: _model, type: _type, points: _points, ...selection } = selectionOf(view, 'box');
  return selection;
}

export function TracesPage() {
  useTitle(m.traces.title);
  const view = useView();
  const { q } = view;
  const query = useData(tracesQuery(tracesOf(view)));
  const columns = useMemo<Column<TraceSummary>[]>(
    () => [
      {
        key: 'name',
        title: m.traces.name,
        width: '38%',
        value: (t) => t.name,
        cell: (t) => (
          <Go to="/traces/$traceId" params={{ traceId: t.trace_id }} className="row-link">
            {t.name || m.common.unknown}
          </Go>
        ),
      },
      {
        key: 'service',
        title: m.traces.service,
        optional: true,
        value: (t) => t.service,
        cell: (t) => (
          <Go to="/services/$service" params={{ service: t.service }}>
            {t.service}
          </Go>
        ),
      },
      {
        key: 'outcome',
        title: m.traces.outcome,
        value: (t) => t.outcome,
        cell: (t) => <OutcomeMark outcome={t.outcome} />,
      },
      {
        key: 'duration',
        title: m.traces.duration,
        numeric: true,
        value: (t) => t.duration_us,
        cell: (t) => <span title={format.exactDuration(t.duration_us)}>{format.duration(t.duration_us)}</span>,
      },
      {
        key: 'started',
        title: m.traces.started,
        numeric: true,
        optional: true,
        value: (t) => t.timestamp_us,
        cell: (t) => <span title={format.exactDateTime(t.timestamp_us)}>{format.dateTime(t.timestamp_us)}</span>,
      },
    ],
    [],
  );
  return (
    <div className="page">
      <PageHead title={m.traces.title} note={query.data && m.traces.newest(query.data.traces.length, query.data.total)}>
        <OpenById />
        <FilterBox label={m.traces.filter} />
      </PageHead>
      <FilterChips />
      <Loaded query={query} rows={10}>
        {(data) => {
          const rows = filterRows(data.traces, q, (t) => [
            t.name,
            t.service,
            t.trace_id,
            t.outcome === 'failure' ? m.common.failed : '',
          ]);
          return (
            <>
              <Partial complete={data.complete} />
              {rows.length > 0 ? (
                <DataTable label={m.traces.title} rows={rows} columns={columns} rowKey={(t) => t.transaction_id} />
              ) : data.traces.length > 0 ? (
                <FilteredAway filter={q ?? ''} />
              ) : (
                <NothingMatches />
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

/** A trace id from a log line or a colleague. */
function OpenById() {
  const go = useGo();
  const [id, setId] = useState('');
  const text = id.trim().toLowerCase();
  const valid = /^[0-9a-f]{32}$/.test(text);
  return (
    <form
      className="open-by-id"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) go({ to: '/traces/$traceId', params: { traceId: text } });
      }}
    >
      <input
        className="input mono"
        aria-label={m.traces.openId}
        placeholder={m.traces.openId}
        value={id}
        onChange={(event) => setId(event.target.value)}
        aria-invalid={text !== '' && !valid}
        title={m.traces.idInvalid}
      />
      <button type="submit" className="button" disabled={!valid}>
        {m.traces.open}
      </button>
    </form>
  );
}
