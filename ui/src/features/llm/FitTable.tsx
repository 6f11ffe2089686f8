/** The lines through the points, one row for each model. */

import { useMemo } from 'react';
import type { TokenFit } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { fraction, whole } from '../../base/numbers';
import { GroupMark } from '../../components/scatter';
import { type Column, DataTable } from '../../components/table';
import { Go, useView } from '../../components/view';

/** A figure with its standard error. */
function Measured({ us, error }: { us: number; error: number }) {
  return (
    <span title={`± ${format.duration(error)}`}>
      {format.duration(us)} <span className="dim small optional">± {format.duration(error)}</span>
    </span>
  );
}

export function FitTable({ fits, models }: { fits: readonly TokenFit[]; models: readonly string[] }) {
  const { service, points } = useView();
  const columns = useMemo<Column<TokenFit>[]>(
    () => [
      {
        key: 'model',
        title: m.llm.model,
        cell: (f) =>
          f.model ? (
            <span className="model-cell">
              <GroupMark group={models.indexOf(f.model)} />
              <Go to="/llm" search={{ service, points, model: f.model }} className="row-link">
                {f.model}
              </Go>
            </span>
          ) : (
            <b>{m.llm.all}</b>
          ),
      },
      { key: 'count', title: m.llm.count, numeric: true, cell: (f) => whole(f.count) },
      {
        key: 'per100',
        title: m.llm.per100,
        numeric: true,
        cell: (f) => <Measured us={f.us_per_token * 100} error={f.us_per_token_error * 100} />,
      },
      {
        key: 'first',
        title: m.llm.firstToken,
        help: m.llm.firstTokenHelp,
        numeric: true,
        cell: (f) => <Measured us={f.intercept_us} error={f.intercept_error_us} />,
      },
      {
        key: 'r2',
        title: m.llm.rSquared,
        help: m.llm.rSquaredHelp,
        numeric: true,
        optional: true,
        cell: (f) => fraction(f.r_squared),
      },
      {
        key: 'spread',
        title: m.llm.spread,
        help: m.llm.spreadHelp,
        numeric: true,
        optional: true,
        cell: (f) => format.duration(f.residual_us),
      },
    ],
    [models, service, points],
  );
  return <DataTable label={m.llm.fits} rows={fits} columns={columns} rowKey={(f) => f.model ?? ''} sortable={false} />;
}
