/** Spend by model, user, label …; with what no row has, so that it is the total. */

import { type FormEvent, useMemo, useState } from 'react';
import type { SpendAnswer, SpendRow } from '../../api/types';
import * as format from '../../base/format';
import { texts } from '../../base/i18n/spend';
import { cents, dollars, whole } from '../../base/numbers';
import { FailedRate, ImpactBar } from '../../components/figures';
import { Panel } from '../../components/panel';
import { type Column, DataTable } from '../../components/table';
import { Go, useSetView } from '../../components/view';
import { sourcesText } from './sources';

const choices = ['model', 'provider', 'service', 'transaction', 'user', 'session', 'question'] as const;

/** Fields of the events by which traces are found, by what spend is broken down by. */
const fields: Record<string, string> = {
  model: 'tokenfall.model',
  provider: 'gen_ai.provider.name',
  user: 'user.id',
  session: 'session.id',
  question: 'tokenfall.question',
};

/** Search parameters of the list of traces behind a row. */
function tracesOf(by: string, key: string) {
  if (by === 'service') return { service: key };
  if (by === 'transaction') return { name: key };
  const field = fields[by] ?? `labels.${by.replace(/^label:/, '')}`;
  return { field, value: key };
}

export function Breakdown({ data }: { data: SpendAnswer }) {
  const t = texts();
  const rest = Number(data.unattributed_usd);
  const columns = useColumns(data.by, data.rows[0]?.transactions === null);
  return (
    <Panel title={t.breakdown} actions={<ByPicker by={data.by} />}>
      {data.rows.length === 0 ? (
        <p className="dim pad panel-text">{t.noRows}</p>
      ) : (
        <DataTable label={t.breakdown} rows={data.rows} columns={columns} rowKey={(row) => row.key} sort="-cost" />
      )}
      <dl className="spend-rest">
        {data.rows_omitted > 0 && (
          <div>
            <dt>{t.omitted(data.rows_omitted)}</dt>
            <dd title={`${data.omitted_usd} USD`}>{dollars(data.omitted_usd)}</dd>
          </div>
        )}
        {rest !== 0 && (
          <div title={t.unattributedHelp}>
            <dt>{t.unattributed}</dt>
            <dd title={`${data.unattributed_usd} USD`}>{dollars(data.unattributed_usd)}</dd>
          </div>
        )}
        <div className="sum">
          <dt>{t.total}</dt>
          <dd title={`${data.total.usd} USD`}>{dollars(data.total.usd)}</dd>
        </div>
      </dl>
    </Panel>
  );
}

function ByPicker({ by }: { by: string }) {
  const t = texts();
  const setView = useSetView();
  const label = by.startsWith('label:') ? by.slice('label:'.length) : '';
  const [naming, setNaming] = useState(label !== '');
  const [name, setName] = useState(label);
  const choose = (next: string) => {
    setNaming(next === 'label');
    if (next !== 'label') setView({ by: next === 'model' ? undefined : next, sort: undefined });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') setView({ by: `label:${name.trim()}`, sort: undefined });
  };
  return (
    <form className="by-picker" onSubmit={submit}>
      <label className="select">
        <span className="dim small">{t.by}</span>
        <select value={naming ? 'label' : by} onChange={(event) => choose(event.target.value)}>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {t.byNames[choice]}
            </option>
          ))}
          <option value="label">{t.label}</option>
        </select>
      </label>
      {naming && (
        <>
          <label className="field">
            <input
              type="text"
              aria-label={t.labelName}
              placeholder={t.labelName}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          <button type="submit" className="button">
            {t.apply}
          </button>
        </>
      )}
    </form>
  );
}

/** Of calls, or of transactions, as the rows are. */
function useColumns(by: string, ofCalls: boolean): Column<SpendRow>[] {
  const t = texts();
  const title = t.byNames[by] ?? by.replace(/^label:/, '');
  return useMemo<Column<SpendRow>[]>(
    () => [
      {
        key: 'key',
        title: capital(title),
        width: '28%',
        value: (row) => row.key,
        cell: (row) => <Key by={by} row={row} />,
      },
      { key: 'share', title: t.share, width: '14%', optional: true, cell: (row) => <ImpactBar share={row.share} /> },
      {
        key: 'cost',
        title: t.cost,
        numeric: true,
        value: (row) => Number(row.usd),
        cell: (row) => <span title={`${row.usd} USD`}>{dollars(row.usd)}</span>,
      },
      {
        key: 'count',
        title: ofCalls ? t.calls : t.transactions,
        numeric: true,
        value: (row) => row.transactions ?? row.calls,
        cell: (row) => format.count(row.transactions ?? row.calls),
      },
      {
        key: 'each',
        title: t.each,
        help: t.eachHelp,
        numeric: true,
        value: (row) => number(row.usd_per_transaction ?? row.usd_per_call),
        cell: (row) => cents(row.usd_per_transaction ?? row.usd_per_call),
      },
      {
        key: 'tokens',
        title: t.tokens,
        numeric: true,
        optional: true,
        value: (row) => row.total_tokens,
        cell: (row) => (
          <span title={`${whole(row.total_tokens)}: ${sourcesText(row.sources)}`}>
            {format.count(row.total_tokens)}
          </span>
        ),
      },
      {
        key: 'latency',
        title: t.latency,
        numeric: true,
        optional: true,
        value: (row) => row.latency_avg_us,
        cell: (row) => format.duration(row.latency_avg_us),
      },
      {
        key: 'failed',
        title: t.failed,
        numeric: true,
        optional: true,
        value: (row) => row.failure_rate,
        cell: (row) => <FailedRate rate={row.failure_rate} />,
      },
      {
        key: 'traces',
        title: t.traces,
        cell: (row) => (
          <Go to="/traces" search={tracesOf(by, row.key)} aria-label={t.tracesOf(row.key)}>
            {t.traces}
          </Go>
        ),
      },
    ],
    [by, ofCalls, title, t],
  );
}

function number(usd: string | null | undefined): number | null {
  return usd === null || usd === undefined ? null : Number(usd);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The row's own page, where there is one. */
function Key({ by, row }: { by: string; row: SpendRow }) {
  if (by === 'service') {
    return (
      <Go to="/services/$service" params={{ service: row.key }} className="row-link">
        {row.key}
      </Go>
    );
  }
  if (by === 'session') {
    return (
      <Go to="/sessions/$id" params={{ id: row.key }} className="row-link">
        {row.key}
      </Go>
    );
  }
  return (
    <Go to="/traces" search={tracesOf(by, row.key)} className="row-link">
      {row.key}
    </Go>
  );
}
