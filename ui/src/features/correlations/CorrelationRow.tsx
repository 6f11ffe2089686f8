/** One value that goes along with what is explained; open, it shows its durations, its statistics and its traces. */

import { ChevronDown, ChevronRight, Filter, ListTree } from 'lucide-react';
import { useId, useState } from 'react';
import { callsQuery } from '../../api/queries';
import type { Correlation, CorrelationsAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { fraction, probability, whole } from '../../base/numbers';
import { selectionOf } from '../../base/view';
import { CallTable } from '../../components/calls';
import { effectTexts, ImpactWord, SharePair } from '../../components/correlation';
import { Distribution } from '../../components/distribution';
import { Loaded } from '../../components/states';
import { useData, useSetView, useView } from '../../components/view';

interface Props {
  data: CorrelationsAnswer;
  correlation: Correlation;
}

export function CorrelationRow({ data, correlation: c }: Props) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const effects = effectTexts(data.of, c);
  return (
    <li className="correlation">
      <div className="correlation-head">
        <button
          type="button"
          className="correlation-name"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          {open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
          <span>
            <span className="dim mono">{c.field}</span> <b>{c.value}</b>
          </span>
        </button>
        <SharePair of={data.of} correlation={c} />
        <span className="correlation-effect">
          <b>{effects[0]}</b>
          {effects.length > 1 && <span className="dim small">{effects.slice(1).join(', ')}</span>}
        </span>
        <span className="correlation-words">
          <ImpactWord correlation={c} />
          <span className="dim small">
            {m.correlations.score(data.of === 'latency' ? 'latency' : 'share')} {fraction(c.score)}
          </span>
        </span>
        <span className={c.is_significant ? 'small' : 'dim small'}>
          {c.is_significant ? m.correlations.significant : m.correlations.notSignificant}
        </span>
      </div>
      <div id={id} hidden={!open}>
        {open && <Opened data={data} correlation={c} />}
      </div>
    </li>
  );
}

function Opened({ data, correlation: c }: Props) {
  const t = m.correlations;
  const setView = useSetView();
  const [traces, setTraces] = useState(false);
  const bars = data.distribution.map((bar, i) => ({
    from: bar.from_us,
    to: bar.to_us,
    count: bar.all,
    part: c.distribution[i] ?? 0,
  }));
  // A range of a number is no single value that transactions could be asked for.
  const isRange = (c.from !== null && c.from !== undefined) || (c.to !== null && c.to !== undefined);
  return (
    <div className="correlation-body">
      <div className="legend small">
        <b>{t.distribution}</b>
        <span>
          <i className="dot color-baseline" /> {t.all}
        </span>
        <span>
          <i className="dot color-accent" /> {t.withValue}
        </span>
      </div>
      <Distribution
        title={t.distribution}
        bars={bars}
        show={format.duration}
        counted={t.all}
        part={t.withValue}
        summary={t.distributionSummary(whole(c.count), whole(bars.reduce((sum, b) => sum + b.count, 0)))}
      />
      <p className="dim small">{t.details(probability(c.p), probability(c.q), probability(c.kibana_p))}</p>
      {c.same_as.length > 0 && (
        <p className="dim small">
          {t.sameAs}: {c.same_as.map((s) => `${s.field}: ${s.value}`).join(', ')}
        </p>
      )}
      {!isRange && (
        <div className="correlation-actions">
          <button type="button" className="button" onClick={() => setView({ field: c.field, value: c.value })}>
            <Filter size={13} aria-hidden /> {t.filterTo}
          </button>
          <button type="button" className="button" aria-expanded={traces} onClick={() => setTraces(!traces)}>
            <ListTree size={13} aria-hidden /> {traces ? t.hideTraces : t.traces}
          </button>
        </div>
      )}
      {traces && <TracesWith of={data.of} correlation={c} />}
    </div>
  );
}

const tracesShown = 10;

/** The longest transactions with the value; with a selection, those in it. */
function TracesWith({ of, correlation: c }: { of: CorrelationsAnswer['of']; correlation: Correlation }) {
  const view = useView();
  const selection = selectionOf(view, of === 'selection' ? 'box' : 'all');
  const query = useData(
    callsQuery({
      ...selection,
      ...(of === 'selection' ? {} : { points: 'transactions' as const }),
      field: c.field,
      value: c.value,
      size: tracesShown,
    }),
  );
  return (
    <Loaded query={query} rows={4}>
      {(data) =>
        data.calls.length > 0 ? (
          <CallTable label={m.correlations.traces} calls={data.calls} />
        ) : (
          <p className="dim small">{m.correlations.noTraces}</p>
        )
      }
    </Loaded>
  );
}
