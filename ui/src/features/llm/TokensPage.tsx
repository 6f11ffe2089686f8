/** How do tokens and time hang together? */

import { useMemo, useState } from 'react';
import { tokensQuery } from '../../api/queries';
import type { TokensAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { fraction, whole } from '../../base/numbers';
import { inside } from '../../base/scatter';
import { selectionOf } from '../../base/view';
import { Figure } from '../../components/figures';
import { NothingMatches } from '../../components/nothingmatches';
import { Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { useTitle } from '../../components/title';
import { useData, useSetView, useView } from '../../components/view';
import { FitTable } from './FitTable';
import { LlmFrame } from './LlmFrame';
import { PointCharts } from './PointCharts';
import { boxOf, durationPoints } from './points';
import { SelectedPanel } from './SelectedPanel';
import { SlowTable } from './SlowTable';

/** As many as the plot can draw at once; the server sends an even sample of more. */
const pointsMax = 50_000;

export function TokensPage() {
  useTitle(m.llm.tokensTab, m.llm.title);
  const view = useView();
  const query = useData(tokensQuery({ ...selectionOf(view), size: pointsMax }));
  return (
    <LlmFrame tab="tokens" lead={m.llm.lead} models={query.data?.points.models ?? []} filters={<PointSwitch />}>
      <Loaded query={query} rows={12}>
        {(data) => (
          <>
            <Partial complete={data.complete} />
            {data.points.tokens.length > 0 ? (
              <Found data={data} />
            ) : (
              <NothingMatches title={m.llm.noneTitle} text={data.unknown > 0 ? m.llm.noTokensText : m.llm.noneText} />
            )}
          </>
        )}
      </Loaded>
    </LlmFrame>
  );
}

function PointSwitch() {
  const { points } = useView();
  const setView = useSetView();
  // The box means other durations and tokens then, so it goes.
  const show = (next: 'transactions' | undefined) => () =>
    setView({ points: next, min: undefined, max: undefined, tmin: undefined, tmax: undefined });
  return (
    <fieldset className="switch">
      <legend className="dim small">{m.llm.points}</legend>
      <button type="button" className="button" aria-pressed={!points} onClick={show(undefined)}>
        {m.llm.calls}
      </button>
      <button type="button" className="button" aria-pressed={points === 'transactions'} onClick={show('transactions')}>
        {m.llm.transactions}
      </button>
    </fieldset>
  );
}

function Found({ data }: { data: TokensAnswer }) {
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const { points } = data;
  const { min, max, tmin, tmax } = useView();
  const box = useMemo(() => boxOf({ min, max, tmin, tmax }), [min, max, tmin, tmax]);
  const chosen = useMemo(() => (box ? inside(durationPoints(points), box) : null), [points, box]);
  const toggle = (group: number) => {
    const next = new Set(hidden);
    if (!next.delete(group)) next.add(group);
    setHidden(next);
  };
  return (
    <>
      <Figures data={data} />
      <PointCharts data={data} box={box} mask={chosen?.mask ?? null} hidden={hidden} onToggle={toggle} />
      {box && chosen && <SelectedPanel data={data} drawn={chosen.count} />}
      <div className="columns">
        <Panel title={m.llm.fits}>
          {data.fits.length > 0 ? (
            <FitTable fits={data.fits} models={points.models} />
          ) : (
            <p className="dim pad panel-text">{m.llm.noFit}</p>
          )}
        </Panel>
        <Panel title={m.llm.slowTitle} note={m.llm.slowNote}>
          {data.slow_for_size.length > 0 ? (
            <SlowTable rows={data.slow_for_size} />
          ) : (
            <p className="dim pad panel-text">{m.llm.noSlow}</p>
          )}
        </Panel>
      </div>
    </>
  );
}

function Figures({ data }: { data: TokensAnswer }) {
  const fit = data.fits.find((f) => f.model === null || f.model === undefined);
  const { sources } = data;
  const kinds = ['reported', 'counted', 'derived', 'estimated'] as const;
  const known = kinds.reduce((sum, kind) => sum + sources[kind], 0);
  return (
    <>
      <dl className="figures">
        <Figure
          label={data.of === 'calls' ? m.llm.countCalls : m.llm.countTransactions}
          value={<span title={whole(data.matching)}>{format.count(data.matching)}</span>}
        />
        <Figure label={m.llm.per100} value={fit ? format.duration(fit.us_per_token * 100) : format.missing} />
        <Figure
          label={m.llm.firstToken}
          value={
            <span title={m.llm.firstTokenHelp}>
              {fit ? format.duration(Math.max(0, fit.intercept_us)) : format.missing}
            </span>
          }
        />
        <Figure label={m.llm.rSquared} value={<span title={m.llm.rSquaredHelp}>{fraction(fit?.r_squared)}</span>} />
        {known > 0 && (
          <Figure
            label={m.llm.howKnown}
            value={
              <span className="sources">
                {kinds
                  .filter((kind) => sources[kind] > 0)
                  .map((kind) => (
                    <span key={kind} title={`${m.llm.sourcesHelp[kind]}: ${whole(sources[kind])}`}>
                      {format.percent(sources[kind] / known)} <small>{m.llm.sources[kind]}</small>
                    </span>
                  ))}
              </span>
            }
          />
        )}
      </dl>
      {(data.unknown > 0 || data.points.tokens.length < data.matching) && (
        <p className="dim small">
          {data.points.tokens.length < data.matching &&
            `${m.llm.sample(whole(data.points.tokens.length), whole(data.matching))} `}
          {data.unknown > 0 && m.llm.unknownTokens(data.unknown)}
        </p>
      )}
    </>
  );
}
