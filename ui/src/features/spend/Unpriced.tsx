/** Calls that no amount contains, why, and what to do about it. */

import type { UnpricedModel } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { texts } from '../../base/i18n/spend';
import { Panel } from '../../components/panel';
import { DataTable } from '../../components/table';

export function Unpriced({ models }: { models: readonly UnpricedModel[] }) {
  const t = texts();
  return (
    <Panel title={t.unpriced} note={t.unpricedNote}>
      <DataTable
        label={t.unpriced}
        rows={models}
        rowKey={(row) => `${row.provider}/${row.model}/${row.reason}`}
        sortable={false}
        columns={[
          { key: 'model', title: t.model, width: '24%', cell: (row) => row.model ?? m.common.unknown },
          { key: 'provider', title: t.provider, optional: true, cell: (row) => row.provider ?? m.common.unknown },
          { key: 'calls', title: t.calls, numeric: true, cell: (row) => format.count(row.calls) },
          { key: 'why', title: t.why, cell: (row) => t.reasons[row.reason] },
          { key: 'remedy', title: t.whatToDo, width: '30%', optional: true, cell: (row) => t.remedies[row.reason] },
        ]}
      />
    </Panel>
  );
}
