/** From nothing to the first trace: what to set, and a live view of whether it arrived. */

import { useQuery } from '@tanstack/react-query';
import { CheckCircle2, LoaderCircle } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { statusQuery } from '../../api/queries';
import type { Status } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { CopyButton } from '../../components/copy';
import { PageHead, Panel } from '../../components/panel';
import { ErrorState } from '../../components/states';
import { useTitle } from '../../components/title';
import { Go } from '../../components/view';
import { snippets } from './snippets';

/** Events are visible half a second after they were stored; while waiting, this leaves the other half for noticing. */
const waitingPollMs = 300;
const pollMs = 2000;
const silenceMs = 60_000;

export function StartPage() {
  useTitle(m.start.title);
  const query = useQuery({
    ...statusQuery(),
    refetchInterval: ({ state }) => (state.data?.newest_service ? pollMs : waitingPollMs),
    staleTime: 0,
  });
  const status = query.data;
  const authRequired = status?.auth_required ?? false;
  const tabs = snippets(location.origin, authRequired, { any: m.start.any, curl: m.start.curl });
  return (
    <div className="page start">
      <PageHead title={m.start.title} note={m.start.lead} />
      <ol className="steps">
        <li>
          <Panel title={m.start.step1}>
            <p className="dim small pad">{authRequired ? m.start.secretNote : m.start.noSecretNote}</p>
            <Tabs className="tabs pad">
              <TabList aria-label={m.start.agents} className="tab-list">
                {tabs.map((tab) => (
                  <Tab key={tab.id} id={tab.id} className="tab">
                    {tab.title}
                  </Tab>
                ))}
              </TabList>
              {tabs.map((tab) => (
                <TabPanel key={tab.id} id={tab.id} className="tab-panel">
                  {tab.id === 'any' && <p>{m.start.anyText}</p>}
                  {tab.id === 'curl' && <p>{m.start.curlText}</p>}
                  {tab.blocks.map((block, i) => (
                    <figure key={i} className="snippet">
                      {block.label && <figcaption className="mono small dim">{block.label}</figcaption>}
                      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
                      <pre tabIndex={0}>{block.code}</pre>
                      <CopyButton text={block.code} iconOnly />
                    </figure>
                  ))}
                </TabPanel>
              ))}
            </Tabs>
          </Panel>
        </li>
        <li>
          <Panel title={m.start.step2}>
            <p className="dim small pad">{m.start.checkFlush}</p>
          </Panel>
        </li>
        <li>
          <Panel title={m.start.step3}>
            {query.isError && !status ? (
              <ErrorState error={query.error} retry={() => void query.refetch()} />
            ) : (
              <Arrival status={status} />
            )}
          </Panel>
        </li>
      </ol>
    </div>
  );
}

function total(status: Status): number {
  const { transaction, span, error, metricset, log } = status.events;
  return transaction + span + error + metricset + log;
}

function Arrival({ status }: { status: Status | undefined }) {
  const since = useRef(Date.now());
  const [silent, setSilent] = useState(false);
  const stored = status ? total(status) : 0;
  const newest = status?.newest_service;
  useEffect(() => {
    if (newest) return;
    const timer = setTimeout(() => setSilent(true), Math.max(0, since.current + silenceMs - Date.now()));
    return () => clearTimeout(timer);
  }, [newest]);
  return (
    <div className="arrival" role="status">
      {newest ? (
        <>
          <CheckCircle2 size={26} className="ok-text" aria-hidden />
          <div className="grow">
            <p>
              <b>{m.start.arrived}</b> {m.start.from(newest.name)}
            </p>
            <p className="dim">
              {m.start.agent} {newest.agent_name ?? m.common.unknown} {newest.agent_version ?? ''} · {m.start.lastEvent}{' '}
              {format.dateTime(newest.timestamp_us)} · {m.start.stored(format.count(stored))}
            </p>
          </div>
          {newest.trace_id ? (
            <Go to="/traces/$traceId" params={{ traceId: newest.trace_id }} className="button primary">
              {m.start.openFirst}
            </Go>
          ) : (
            <Go to="/services/$service" params={{ service: newest.name }} className="button primary">
              {m.start.toServices}
            </Go>
          )}
        </>
      ) : (
        <>
          <LoaderCircle size={26} className="spin" aria-hidden />
          <div className="grow">
            <p>{m.start.waiting}</p>
            {silent && status && <CheckList status={status} />}
          </div>
        </>
      )}
    </div>
  );
}

/** What the server has seen instead of events. */
function CheckList({ status }: { status: Status }) {
  const { requests, unauthorized, invalid, unavailable, events_accepted, events_rejected } = status.intake;
  return (
    <>
      <p>{m.start.silent}</p>
      <ul className="checklist">
        <li>{m.start.checkReached(requests)}</li>
        {unauthorized > 0 && <li className="error-text">{m.start.checkUnauthorized(unauthorized)}</li>}
        {invalid > 0 && <li className="error-text">{m.start.checkInvalid(invalid)}</li>}
        {unavailable > 0 && <li className="error-text">{m.start.checkUnavailable(unavailable)}</li>}
        <li>{m.start.checkEvents(events_accepted, events_rejected)}</li>
        <li>{m.start.checkFlush}</li>
      </ul>
    </>
  );
}
