/** What was drawn a box around: how many, which ones, and why they differ from the others. */

import { callsQuery, correlationsQuery } from '../../api/queries';
import type { CorrelationsAnswer, TokensAnswer } from '../../api/types';
import { m } from '../../base/i18n';
import { whole } from '../../base/numbers';
import { selectionOf } from '../../base/view';
import { CallTable } from '../../components/calls';
import { boxText, effectTexts, ImpactWord, SharePair } from '../../components/correlation';
import { Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { Go, useData, useView } from '../../components/view';

const callsShown = 20;
const correlationsShown = 5;

/** `drawn` is the number of points in the box; if the points are a sample, the list of calls knows better. */
export function SelectedPanel({ data, drawn }: { data: TokensAnswer; drawn: number }) {
  const view = useView();
  const query = useData(callsQuery({ ...selectionOf(view, 'box'), size: callsShown }));
  const sampled = data.points.tokens.length < data.matching;
  const selected = sampled ? query.data?.total : drawn;
  const named = (n: number) => (data.of === 'calls' ? m.llm.nCalls(n) : m.llm.nTransactions(n));
  const total = named(data.matching);
  return (
    <>
      <p className="sets" role="status">
        <span>
          <i className="dot color-selected" /> <b>{m.llm.selection}</b>{' '}
          {m.llm.selectedOf(selected === undefined ? '…' : whole(selected), total, boxText(view) ?? '')}
        </span>
        <span className="dim">{m.llm.against}</span>
        <span>
          <i className="dot color-baseline" />{' '}
          {m.llm.theOther(selected === undefined ? '…' : whole(Math.max(0, data.matching - selected)))}
        </span>
      </p>
      <div className="columns">
        <Panel
          title={m.llm.selection}
          note={query.data && m.llm.longest(query.data.calls.length, named(query.data.total))}
        >
          <Loaded query={query} rows={6}>
            {(found) => (
              <>
                <Partial complete={found.complete} />
                {found.calls.length > 0 ? (
                  <CallTable label={m.llm.selection} calls={found.calls} />
                ) : (
                  <p className="dim pad panel-text">{m.llm.noneSelected}</p>
                )}
              </>
            )}
          </Loaded>
        </Panel>
        <WhyDifferent />
      </div>
    </>
  );
}

function WhyDifferent() {
  const view = useView();
  const query = useData(correlationsQuery({ ...selectionOf(view, 'box'), of: 'selection' }));
  const { service, model, name, type, points, field, value, min, max, tmin, tmax } = view;
  return (
    <Panel
      title={m.llm.why}
      actions={
        <Go
          to="/correlations"
          search={{ of: 'selection', service, model, name, type, points, field, value, min, max, tmin, tmax }}
        >
          {m.llm.allCorrelations}
        </Go>
      }
    >
      <Loaded query={query} rows={6}>
        {(data) => <Top data={data} />}
      </Loaded>
    </Panel>
  );
}

function Top({ data }: { data: CorrelationsAnswer }) {
  const t = m.correlations;
  if (data.not_enough) {
    return (
      <p className="dim pad panel-text">
        {t.notEnoughTitle}: {t.notEnoughText(whole(data.selected.count), whole(data.baseline.count))}
      </p>
    );
  }
  const rows = data.correlations.slice(0, correlationsShown);
  return (
    <>
      <Partial complete={data.complete} />
      <p className="dim small pad panel-text">
        <i className="dot color-selected" /> {t.nTransactions(data.selected.count)} {m.llm.against}{' '}
        <i className="dot color-baseline" /> {whole(data.baseline.count)}
      </p>
      {!data.is_significant && <p className="dim pad panel-text">{rows.length > 0 ? t.nothingStrongest : t.nothing}</p>}
      <ul className="why">
        {rows.map((c) => (
          <li key={`${c.field}\n${c.value}`}>
            <span className="why-value">
              <span className="dim mono">{c.field}</span> <b>{c.value}</b>
            </span>
            <SharePair of="selection" correlation={c} />
            <span className="dim small why-effect">{effectTexts('selection', c)[0]}</span>
            <ImpactWord correlation={c} />
          </li>
        ))}
      </ul>
    </>
  );
}
