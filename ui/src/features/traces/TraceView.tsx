/** A trace with its waterfall and the details of the selected item; on its own page or inside another. */

import { useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';
import { ApiError } from '../../api/client';
import { traceQuery } from '../../api/queries';
import type { TraceLlm, TraceSkeleton } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { dollars, whole } from '../../base/numbers';
import { Empty, ErrorState, Skeleton } from '../../components/states';
import { Go, useView } from '../../components/view';
import { Details } from './Details';
import { buildTrace, flag, has, itemById, type Trace } from './model/trace';
import { Waterfall } from './Waterfall';

export function TraceView({ traceId, rowsMax }: { traceId: string; rowsMax?: number }) {
  const query = useQuery(traceQuery(traceId));
  if (query.data) return <Loaded key={traceId} skeleton={query.data} {...(rowsMax ? { rowsMax } : {})} />;
  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <Empty title={m.waterfall.notFound} text={m.waterfall.notFoundText}>
        <button type="button" className="button" onClick={() => void query.refetch()}>
          {m.common.retry}
        </button>
      </Empty>
    );
  }
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <Skeleton rows={12} />;
}

function Loaded({ skeleton, rowsMax }: { skeleton: TraceSkeleton; rowsMax?: number }) {
  const trace = useMemo(() => buildTrace(skeleton), [skeleton]);
  const { span } = useView();
  const selected = useMemo(() => (span ? itemById(trace, span) : -1), [trace, span]);
  return (
    <div className={selected >= 0 ? 'trace with-details' : 'trace'}>
      <div className="trace-main">
        <TraceFacts trace={trace} />
        <Waterfall trace={trace} {...(rowsMax ? { rowsMax } : {})} />
      </div>
      {selected >= 0 && <Details key={trace.ids[selected]} trace={trace} item={selected} />}
    </div>
  );
}

/** Tokens and cost of all model calls; `≥` where the cost of one of them is not known. */
function Spent({ llm }: { llm: TraceLlm }) {
  const { derived, estimated } = llm.sources;
  return (
    <>
      {llm.total_tokens !== null && (
        <span title={m.waterfall.tokensHelp}>
          {m.waterfall.tokens(whole(llm.total_tokens), derived + estimated > 0)}
        </span>
      )}
      {llm.usd !== null && (
        <b title={llm.unpriced_calls > 0 ? m.waterfall.unpriced(llm.unpriced_calls) : `${llm.usd} USD`}>
          {llm.unpriced_calls > 0 ? '≥ ' : ''}
          {dollars(llm.usd)}
        </b>
      )}
    </>
  );
}

/** One line of facts above the waterfall, and what is wrong with the trace if anything is. */
function TraceFacts({ trace }: { trace: Trace }) {
  const facts = useMemo(() => {
    let transactions = 0;
    let generations = 0;
    for (let i = 0; i < trace.size; i++) {
      if (has(trace, i, flag.transaction)) transactions++;
      if (has(trace, i, flag.generation)) generations++;
    }
    return { transactions, generations };
  }, [trace]);
  const homeless = trace.errors.filter((error) => error.item < 0);
  return (
    <>
      <p className="trace-facts">
        <b>{format.duration(trace.durationUs)}</b>
        <span>{m.waterfall.transactions(facts.transactions)}</span>
        <span>{m.waterfall.items(trace.size - facts.transactions)}</span>
        {facts.generations > 0 && <span>{m.waterfall.generations(facts.generations)}</span>}
        {trace.llm && <Spent llm={trace.llm} />}
        {trace.services.length > 1 && <span>{m.waterfall.services(trace.services.length)}</span>}
        {trace.errors.length > 0 && (
          <span className="error-text">
            <TriangleAlert size={12} aria-hidden /> {m.waterfall.errors(trace.errors.length)}
          </span>
        )}
        {trace.droppedSpans > 0 && <span className="dim">{m.waterfall.dropped(trace.droppedSpans)}</span>}
        <span className="dim">{format.exactDateTime(trace.startUs)}</span>
      </p>
      {!trace.complete && (
        <p className="strip" role="status">
          <TriangleAlert size={14} aria-hidden /> {m.waterfall.incomplete}
        </p>
      )}
      {homeless.length > 0 && (
        <p className="strip">
          {m.waterfall.messages}:{' '}
          {homeless.slice(0, 5).map((error) => (
            <Go
              key={error.id}
              to="/errors/$key"
              params={{ key: error.grouping_key }}
              search={{ service: error.service }}
            >
              {error.exception_type ?? error.message}
            </Go>
          ))}
        </p>
      )}
    </>
  );
}
