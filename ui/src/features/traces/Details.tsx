/** What is known about the selected item of a trace. */

import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { itemQuery } from '../../api/queries';
import type { TraceItem } from '../../api/types';
import { exceptionsOf, framesOf, labelsOf, listAt, textAt } from '../../base/document';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { CopyButton } from '../../components/copy';
import { ExceptionChain, Fields, JsonView, Metadata, StackTrace } from '../../components/document';
import { Fact } from '../../components/fact';
import { OutcomeMark } from '../../components/figures';
import { IconButton } from '../../components/iconbutton';
import { ErrorState, Skeleton } from '../../components/states';
import { Go, useData, useSetView, useView } from '../../components/view';
import { CallFacts } from './CallFacts';
import { Messages } from './Messages';
import { flag, has, nameOf, serviceOf, type Trace, timeOnPath, typeOf } from './model/trace';
import { Playback } from './Playback';

const tabs = ['summary', 'messages', 'playback', 'labels', 'metadata', 'stack', 'errors', 'json'] as const;
/** Tabs that only a model call has. */
const ofCalls = new Set<string>(['messages', 'playback']);

export function Details({ trace, item }: { trace: Trace; item: number }) {
  const view = useView();
  const setView = useSetView();
  const id = trace.ids[item] ?? '';
  const query = useData(itemQuery(trace.id, id));
  const close = () => setView({ span: undefined, tab: undefined });
  const titles = {
    summary: m.detail.summary,
    messages: m.messages.tab,
    playback: m.playback.tab,
    labels: m.detail.labels,
    metadata: m.detail.metadata,
    stack: m.detail.stack,
    errors: m.detail.errors,
    json: m.detail.json,
  };
  const counts: Partial<Record<(typeof tabs)[number], number>> = {
    labels: query.data ? labelsOf(query.data.document).length : 0,
    errors: trace.errorCount[item] ?? 0,
  };
  const shown = tabs.filter((t) => has(trace, item, flag.generation) || !ofCalls.has(t));
  const tab = shown.find((t) => t === view.tab) ?? 'summary';
  const body = (show: (data: TraceItem) => ReactNode) =>
    query.data ? (
      show(query.data)
    ) : query.isError ? (
      <ErrorState error={query.error} retry={() => void query.refetch()} />
    ) : (
      <Skeleton />
    );
  return (
    <aside className="details" aria-label={m.detail.dock}>
      <header className="details-head">
        <div>
          <p className="dim small">
            {has(trace, item, flag.transaction)
              ? `${serviceOf(trace, item)} · ${typeOf(trace, item)}`
              : typeOf(trace, item)}
          </p>
          <h2>{nameOf(trace, item) || m.common.unknown}</h2>
        </div>
        <IconButton kind="quiet" label={m.common.close} title={`${m.common.close} (Esc)`} onClick={close}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <Tabs
        selectedKey={tab}
        onSelectionChange={(key) => setView({ tab: key === 'summary' ? undefined : String(key) }, 'replace')}
        className="tabs"
      >
        <TabList aria-label={m.detail.title} className="tab-list">
          {shown.map((t) => (
            <Tab key={t} id={t} className="tab">
              {titles[t]}
              {counts[t] ? <span className={t === 'errors' ? 'count error-text' : 'count'}>{counts[t]}</span> : null}
            </Tab>
          ))}
        </TabList>
        <TabPanel id="summary" className="tab-panel">
          <Summary trace={trace} item={item} document={query.data?.document} />
        </TabPanel>
        {has(trace, item, flag.generation) && (
          <>
            <TabPanel id="messages" className="tab-panel">
              {body(({ document }) => (
                <Messages document={document} />
              ))}
            </TabPanel>
            <TabPanel id="playback" className="tab-panel">
              {body(({ document }) => (
                <Playback trace={trace} item={item} document={document} />
              ))}
            </TabPanel>
          </>
        )}
        <TabPanel id="labels" className="tab-panel">
          {body(({ document }) => {
            const labels = labelsOf(document);
            return labels.length > 0 ? <Fields fields={labels} /> : <p className="dim">{m.detail.noLabels}</p>;
          })}
        </TabPanel>
        <TabPanel id="metadata" className="tab-panel">
          {body(({ document }) => (
            <Metadata document={document} />
          ))}
        </TabPanel>
        <TabPanel id="stack" className="tab-panel">
          {body(({ document }) => {
            const frames = framesOf(listAt(document, 'span.stacktrace'));
            return frames.length > 0 ? <StackTrace frames={frames} /> : <p className="dim">{m.detail.noStack}</p>;
          })}
        </TabPanel>
        <TabPanel id="errors" className="tab-panel">
          {body(({ errors }) =>
            errors.length === 0 ? (
              <p className="dim">{m.detail.noErrors}</p>
            ) : (
              errors.map((error, i) => {
                const key = textAt(error, 'error.grouping_key');
                return (
                  <div key={textAt(error, 'error.id') ?? i} className="error-entry">
                    <ExceptionChain exceptions={exceptionsOf(error)} />
                    {textAt(error, 'error.log.message') && (
                      <p className="message">{textAt(error, 'error.log.message')}</p>
                    )}
                    {key && (
                      <Go
                        to="/errors/$key"
                        params={{ key }}
                        search={{ service: textAt(error, 'service.name') }}
                        className="button"
                      >
                        {m.nav.errors}: {m.errors.overTime}
                      </Go>
                    )}
                  </div>
                );
              })
            ),
          )}
        </TabPanel>
        <TabPanel id="json" className="tab-panel">
          {body(({ document, errors }) => (
            <JsonView value={errors.length > 0 ? { document, errors } : document} />
          ))}
        </TabPanel>
      </Tabs>
    </aside>
  );
}

/** What the trace itself knows is shown at once; the document adds the rest when it has come. */
function Summary({ trace, item, document }: { trace: Trace; item: number; document: unknown }) {
  const offset = trace.offset[item] ?? 0;
  const duration = trace.duration[item] ?? 0;
  const transaction = has(trace, item, flag.transaction);
  const merged = trace.compositeCount[item] ?? 0;
  const sum = trace.compositeSum[item] ?? 0;
  const first = trace.firstChunk[item] ?? -1;
  const chunks = trace.chunks[item] ?? 0;
  const status = trace.statusCode[item] ?? 0;
  const attempt = trace.attempt[item] ?? 0;
  const onPath = timeOnPath(trace, item);
  const service = serviceOf(trace, item);
  const dependency =
    textAt(document, 'tokenfall.dependency.resource') ?? textAt(document, 'span.destination.service.resource');
  const statement = textAt(document, 'span.db.statement');
  const links = listAt(document, 'span.links');
  return (
    <>
      {has(trace, item, flag.orphan) && <p className="strip">{m.waterfall.missingParentHelp}</p>}
      {has(trace, item, flag.async) && <p className="strip quiet">⇉ {m.waterfall.asyncHelp}</p>}
      {has(trace, item, flag.skewCorrected) && <p className="strip quiet">{m.waterfall.skewHelp}</p>}
      {merged > 0 && <p className="strip quiet">{m.detail.compositeNote}</p>}
      <dl className="facts">
        <Fact name={m.detail.outcome}>
          <OutcomeMark
            outcome={
              has(trace, item, flag.failure) ? 'failure' : has(trace, item, flag.success) ? 'success' : 'unknown'
            }
          />
        </Fact>
        <Fact name={m.detail.duration}>
          <b title={format.exactDuration(duration)}>{format.duration(duration)}</b>{' '}
          <span className="dim">{format.percent(duration / trace.durationUs)}</span>
        </Fact>
        {trace.path.total > 0 && <Fact name={m.detail.selfTime}>{format.duration(onPath)}</Fact>}
        <Fact name={m.detail.offset}>{format.duration(offset)}</Fact>
        <Fact name={m.detail.started}>{format.exactDateTime(trace.startUs + offset)}</Fact>
        {merged > 0 && (
          <>
            <Fact name={m.detail.composite}>{format.count(merged)}</Fact>
            <Fact name={m.detail.compositeSum}>{format.duration(sum)}</Fact>
            <Fact name={m.detail.compositeAverage}>{format.duration(sum / merged)}</Fact>
            <Fact name={m.detail.strategy}>
              {has(trace, item, flag.compositeExact)
                ? m.detail.exactMatch
                : has(trace, item, flag.compositeSameKind)
                  ? m.detail.sameKind
                  : m.common.unknown}
            </Fact>
          </>
        )}
        {has(trace, item, flag.generation) && <CallFacts trace={trace} item={item} document={document} />}
        {chunks > 0 && (
          <>
            <Fact name={m.detail.chunks}>{format.count(chunks)}</Fact>
            {first >= 0 && duration > first && (
              <Fact name={m.detail.chunkRate}>{format.perMinute(chunks / ((duration - first) / 1e6))}</Fact>
            )}
          </>
        )}
        {attempt > 0 && <Fact name={m.detail.attempt}>{attempt}</Fact>}
        {status > 0 && <Fact name={m.detail.status}>{status}</Fact>}
        <Fact name={m.detail.result}>{textAt(document, 'transaction.result')}</Fact>
        <Fact name={m.detail.type}>{typeOf(trace, item)}</Fact>
        <Fact name={m.detail.service}>
          <Go to="/services/$service" params={{ service }}>
            {service}
          </Go>
        </Fact>
        {transaction && nameOf(trace, item) !== '' && (
          <Fact name={m.detail.transactionPage}>
            <Go
              to="/services/$service/transactions/$name"
              params={{ service, name: nameOf(trace, item) }}
              search={{ type: typeOf(trace, item) }}
            >
              {nameOf(trace, item)}
            </Go>
          </Fact>
        )}
        {!transaction && dependency && dependency !== typeOf(trace, item) && (
          <Fact name={m.detail.dependency}>
            <Go to="/dependencies/$resource" params={{ resource: dependency }}>
              {dependency}
            </Go>
          </Fact>
        )}
        <Fact name={m.detail.url}>
          {textAt(document, 'url.original') ?? textAt(document, 'url.full') ?? textAt(document, 'http.url')}
        </Fact>
        {links.length > 0 && (
          <Fact name={m.detail.links}>
            {links.slice(0, 50).map((link, i) => {
              const traceId = textAt(link, 'trace.id');
              const span = textAt(link, 'span.id');
              return traceId ? (
                <Go
                  key={i}
                  to="/traces/$traceId"
                  params={{ traceId }}
                  search={span ? { span } : {}}
                  className="mono block"
                >
                  {span ?? traceId}
                </Go>
              ) : null;
            })}
          </Fact>
        )}
        <Fact name={transaction ? m.detail.transactionId : m.detail.spanId}>
          <span className="mono">{trace.ids[item]}</span> <CopyButton text={trace.ids[item] ?? ''} iconOnly />
        </Fact>
        <Fact name={m.detail.traceId}>
          <span className="mono">{trace.id}</span> <CopyButton text={trace.id} iconOnly />
        </Fact>
      </dl>
      {statement && (
        <>
          <h4>{m.detail.statement}</h4>
          <pre className="statement">{statement}</pre>
        </>
      )}
    </>
  );
}
