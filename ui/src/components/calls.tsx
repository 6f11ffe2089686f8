/** Model calls or transactions as rows that lead to their traces. */

import { useMemo } from 'react';
import type { CallRow } from '../api/types';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { dollars, whole } from '../base/numbers';
import { OutcomeMark } from './figures';
import { type Column, DataTable } from './table';
import { Go } from './view';

/** The link to the trace of a call, at its place in it. */
export function CallLink({ call }: { call: CallRow }) {
  return (
    <span className="call-link">
      <Go
        to="/traces/$traceId"
        params={{ traceId: call.trace_id }}
        search={{ span: call.span_id }}
        className="row-link"
      >
        {call.name || m.common.unknown}
      </Go>
      <span className="dim small" title={`${call.model ?? ''} ${call.service}`.trim()}>
        {call.model && `${call.model} · `}
        {call.service}
      </span>
    </span>
  );
}

export function callColumns<T extends CallRow>(): Column<T>[] {
  return [
    { key: 'call', title: m.llm.call, width: '40%', cell: (c) => <CallLink call={c} /> },
    { key: 'tokens', title: m.llm.shortTokens, help: m.llm.tokens, numeric: true, cell: (c) => whole(c.output_tokens) },
    {
      key: 'duration',
      title: m.llm.duration,
      numeric: true,
      cell: (c) => <span title={format.exactDuration(c.duration_us)}>{format.duration(c.duration_us)}</span>,
    },
  ];
}

export function CallTable({ label, calls }: { label: string; calls: readonly CallRow[] }) {
  const columns = useMemo<Column<CallRow>[]>(
    () => [
      ...callColumns<CallRow>(),
      { key: 'cost', title: m.llm.cost, numeric: true, optional: true, cell: (c) => dollars(c.usd) },
      { key: 'outcome', title: m.llm.outcome, optional: true, cell: (c) => <OutcomeMark outcome={c.outcome} short /> },
      {
        key: 'started',
        title: m.llm.started,
        numeric: true,
        optional: true,
        cell: (c) => <span title={format.exactDateTime(c.timestamp_us)}>{format.dateTime(c.timestamp_us)}</span>,
      },
    ],
    [],
  );
  return (
    <DataTable
      label={label}
      rows={calls}
      columns={columns}
      rowKey={(c) => `${c.trace_id}/${c.span_id}`}
      sortable={false}
    />
  );
}
