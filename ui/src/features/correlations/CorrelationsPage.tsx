/** What goes along with slowness, failure, or whatever was selected? */

import { correlationsQuery } from '../../api/queries';
import type { CorrelationSet, CorrelationsAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { dollars, whole } from '../../base/numbers';
import { selectionOf, type View } from '../../base/view';
import { FilterChips } from '../../components/chips';
import { boxText } from '../../components/correlation';
import { NothingMatches } from '../../components/nothingmatches';
import { PageHead } from '../../components/panel';
import { Empty, Loaded, Partial } from '../../components/states';
import { useTitle } from '../../components/title';
import { Go, useData, useView } from '../../components/view';
import { CorrelationRow } from './CorrelationRow';
import { Pickers } from './Pickers';

const tabs = [
  { of: undefined, label: () => m.correlations.slow },
  { of: 'failures', label: () => m.correlations.failures },
  { of: 'selection', label: () => m.correlations.selection },
] as const;

export function CorrelationsPage() {
  const view = useView();
  const label = tabs.find((tab) => tab.of === view.of)?.label() ?? '';
  useTitle(label, m.correlations.title);
  const box = boxText(view);
  return (
    <div className="page">
      <PageHead title={m.correlations.title} note={m.correlations.lead} />
      <nav className="page-tabs" aria-label={m.correlations.tabs}>
        {tabs.map((tab) => (
          <Go
            key={tab.of ?? 'latency'}
            to="/correlations"
            search={{ ...selectionOfTab(view), of: tab.of }}
            className={tab.of === view.of ? 'page-tab here' : 'page-tab'}
            {...(tab.of === view.of ? { 'aria-current': 'page' as const } : {})}
          >
            {tab.label()}
          </Go>
        ))}
      </nav>
      <Pickers />
      <FilterChips />
      {view.of === 'selection' && box === null ? (
        <Empty title={m.correlations.noBoxTitle} text={m.correlations.noBoxText}>
          <Go to="/llm" className="button primary">
            {m.correlations.toPoints}
          </Go>
        </Empty>
      ) : (
        <Answer view={view} />
      )}
      <Method />
    </div>
  );
}

/** The box goes along from tab to tab, so that nobody loses it by looking at another. */
function selectionOfTab({ service, model, name, type, points, field, value, min, max, tmin, tmax }: View) {
  return { service, model, name, type, points, field, value, min, max, tmin, tmax };
}

function Answer({ view }: { view: View }) {
  const { of } = view;
  const selection = selectionOf(view, of === 'selection' ? 'box' : 'all');
  const query = useData(correlationsQuery({ ...selection, of: of ?? 'latency' }));
  return (
    <Loaded query={query} rows={10}>
      {(data) => (
        <>
          <Partial complete={data.complete} />
          {data.selected.count + data.baseline.count > 0 ? (
            <Found data={data} box={boxText(view) ?? ''} />
          ) : (
            <NothingMatches />
          )}
        </>
      )}
    </Loaded>
  );
}

function Found({ data, box }: { data: CorrelationsAnswer; box: string }) {
  const t = m.correlations;
  return (
    <>
      <div className="set-cards">
        <SetCard
          kind="selected"
          set={data.selected}
          rule={data.of === 'latency' ? t.ruleAll : data.of === 'failures' ? t.ruleFailed : t.ruleSelection(box)}
        />
        {data.of !== 'latency' && (
          <SetCard kind="baseline" set={data.baseline} rule={data.of === 'failures' ? t.ruleNotFailed : t.ruleRest} />
        )}
      </div>
      {data.not_enough ? (
        <Empty
          title={t.notEnoughTitle}
          text={t.notEnoughText(whole(data.selected.count), whole(data.baseline.count))}
        />
      ) : (
        <section className="panel" aria-label={t.title}>
          <header className="panel-head">
            <h2>
              {data.is_significant
                ? t.standsOut(data.correlations.filter((c) => c.is_significant).length)
                : data.correlations.length > 0
                  ? t.nothingStrongest
                  : t.nothing}
            </h2>
            <span className="dim small">{t.tested(format.count(data.tested), data.fields.length)}</span>
          </header>
          <ol className="correlations">
            {data.correlations.map((c) => (
              <CorrelationRow key={`${c.field}\n${c.value}`} data={data} correlation={c} />
            ))}
          </ol>
          {data.fields_sampled.length > 0 && (
            <p className="dim small pad panel-text">{t.sampled(data.fields_sampled.join(', '))}</p>
          )}
        </section>
      )}
      <p className="dim small">
        {t.methodRate(format.percent(data.false_discovery_rate))} {t.cause}
      </p>
    </>
  );
}

/** One of the two sets: colour, name, count, rule, and how it did on the whole. */
function SetCard({ kind, set, rule }: { kind: 'selected' | 'baseline'; set: CorrelationSet; rule: string }) {
  const t = m.correlations;
  return (
    <div className="set-card">
      <p>
        <i className={`dot color-${kind}`} /> <b>{kind === 'selected' ? t.selected : t.baseline}:</b>{' '}
        {t.nTransactions(set.count)} <span className="dim">({rule})</span>
      </p>
      <p className="dim small">
        {t.average} {format.duration(set.latency_avg_us)} · {t.failed} {format.percent(set.failure_rate)} ·{' '}
        {t.costAverage} {dollars(set.usd_avg)}
      </p>
    </div>
  );
}

function Method() {
  return (
    <details className="method">
      <summary>{m.correlations.methodTitle}</summary>
      {m.correlations.method.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </details>
  );
}
