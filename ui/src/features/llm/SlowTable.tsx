/** Calls that took longer than their tokens explain. */

import { useMemo } from 'react';
import type { SlowForSize } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { callColumns } from '../../components/calls';
import { type Column, DataTable } from '../../components/table';

export function SlowTable({ rows }: { rows: readonly SlowForSize[] }) {
  const columns = useMemo<Column<SlowForSize>[]>(
    () => [
      ...callColumns<SlowForSize>(),
      {
        key: 'expected',
        title: m.llm.expected,
        numeric: true,
        optional: true,
        cell: (r) => format.duration(r.expected_us),
      },
      { key: 'excess', title: m.llm.excess, numeric: true, cell: (r) => <b>{format.duration(r.excess_us)}</b> },
    ],
    [],
  );
  return (
    <DataTable
      label={m.llm.slowTitle}
      rows={rows}
      columns={columns}
      rowKey={(r) => `${r.trace_id}/${r.span_id}`}
      sortable={false}
    />
  );
}
