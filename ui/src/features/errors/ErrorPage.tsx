/** One error group: when, where, and everything that one occurrence brought along. */

import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight } from 'lucide-react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { errorQuery } from '../../api/queries';
import type { ErrorGroup, ErrorGroupDetail } from '../../api/types';
import { exceptionsOf, framesOf, labelsOf, listAt, textAt } from '../../base/document';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { Crumbs } from '../../components/crumbs';
import { ExceptionChain, Fields, JsonView, Metadata, StackTrace } from '../../components/document';
import { NothingHere } from '../../components/empty';
import { Figure } from '../../components/figures';
import { useHotkeys } from '../../components/hotkeys';
import { IconButton } from '../../components/iconbutton';
import { PageHead, Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { useTitle } from '../../components/title';
import { Go, useData, useScope, useSetView, useView } from '../../components/view';
import { Handled, Occurrences } from './ErrorsPage';

export function ErrorPage({ groupingKey }: { groupingKey: string }) {
  const scope = useScope();
  const { occ, service } = useView();
  const query = useData(
    errorQuery(groupingKey, { ...scope, ...(service ? { service } : {}), ...(occ ? { occurrence: occ } : {}) }),
  );
  const group = query.data?.group;
  const title = group ? (group.exception_type ?? group.message) : m.errors.group;
  useTitle(title, group?.service ?? '');
  return (
    <div className="page">
      <PageHead
        title={<span className="clamp">{title}</span>}
        crumbs={
          <Crumbs
            trail={[
              { to: '/errors', label: m.errors.title },
              ...(group
                ? [
                    {
                      to: '/services/$service/errors' as const,
                      params: { service: group.service },
                      label: group.service,
                    },
                  ]
                : []),
            ]}
          />
        }
        note={group && <Handled handled={group.handled} />}
      />
      <Loaded query={query} rows={10}>
        {(data) => (
          <>
            <Partial complete={data.complete} />
            {data.group ? <Found detail={data} group={data.group} /> : <NothingHere title={m.errors.notInRange} />}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Found({ detail, group }: { detail: ErrorGroupDetail; group: ErrorGroup }) {
  return (
    <>
      {group.exception_type && <p className="message lead">{group.message}</p>}
      <dl className="figures">
        <Figure label={m.errors.occurrences} value={format.count(group.occurrences)} />
        <Figure label={m.errors.firstSeen} value={format.dateTime(group.first_seen_us)} />
        <Figure label={m.errors.lastSeen} value={format.dateTime(group.last_seen_us)} />
        {group.culprit && <Figure label={m.errors.culprit} value={<span className="mono">{group.culprit}</span>} />}
      </dl>
      <div className="columns">
        <Occurrences axis={detail.axis} series={group.series} />
        <Panel title={m.errors.affected}>
          <table className="table" aria-label={m.errors.affected}>
            <thead>
              <tr>
                <th scope="col">{m.services.transaction}</th>
                <th scope="col" className="num">
                  {m.errors.occurrences}
                </th>
              </tr>
            </thead>
            <tbody>
              {detail.transactions.map((t) => (
                <tr key={`${t.name ?? ''}/${t.type ?? ''}`}>
                  <td>
                    {t.name ? (
                      <Go
                        to="/services/$service/transactions/$name"
                        params={{ service: group.service, name: t.name }}
                        search={t.type ? { type: t.type } : {}}
                        className="row-link"
                      >
                        {t.name}
                      </Go>
                    ) : (
                      <span className="dim">{m.errors.noTransaction}</span>
                    )}
                  </td>
                  <td className="num">{format.count(t.occurrences)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
      </div>
      <Occurrence detail={detail} />
    </>
  );
}

function Occurrence({ detail }: { detail: ErrorGroupDetail }) {
  const { occ } = useView();
  const setView = useSetView();
  const { occurrences, sample } = detail;
  const found = occurrences.findIndex((o) => o.error_id === occ);
  const at = found >= 0 ? found : 0;
  const current = occurrences[at];
  const show = (i: number) => {
    const next = occurrences[i];
    if (next) setView({ occ: next.error_id }, 'replace');
  };
  useHotkeys({ n: () => show(at + 1), p: () => show(at - 1) });
  const last = occurrences.length - 1;
  const exceptions = exceptionsOf(sample);
  const logMessage = textAt(sample, 'error.log.message');
  const logFrames = framesOf(listAt(sample, 'error.log.stacktrace'));
  const labels = labelsOf(sample);
  const where = current?.parent_id ?? current?.transaction_id;
  return (
    <Panel
      title={m.errors.occurrence}
      note={current && format.exactDateTime(current.timestamp_us)}
      actions={
        <>
          <span className="pager">
            <IconButton label={m.errors.newest} disabled={at === 0} onClick={() => show(0)}>
              <ChevronFirst size={15} aria-hidden />
            </IconButton>
            <IconButton label={`${m.common.previous} (p)`} disabled={at === 0} onClick={() => show(at - 1)}>
              <ChevronLeft size={15} aria-hidden />
            </IconButton>
            <span aria-live="polite">{m.errors.occurrenceOf(at + 1, occurrences.length)}</span>
            <IconButton label={`${m.common.next} (n)`} disabled={at >= last} onClick={() => show(at + 1)}>
              <ChevronRight size={15} aria-hidden />
            </IconButton>
            <IconButton label={m.errors.firstSeen} disabled={at >= last} onClick={() => show(last)}>
              <ChevronLast size={15} aria-hidden />
            </IconButton>
          </span>
          {current?.trace_id && (
            <Go
              to="/traces/$traceId"
              params={{ traceId: current.trace_id }}
              search={where ? { span: where } : {}}
              className="button primary"
            >
              {m.errors.where}
            </Go>
          )}
        </>
      }
    >
      <Tabs className="tabs pad">
        <TabList aria-label={m.errors.occurrence} className="tab-list">
          <Tab id="stack" className="tab">
            {m.errors.stack}
          </Tab>
          <Tab id="metadata" className="tab">
            {m.errors.metadata}
          </Tab>
          <Tab id="labels" className="tab">
            {m.errors.labels}
            {labels.length > 0 && <span className="count">{labels.length}</span>}
          </Tab>
          <Tab id="json" className="tab">
            {m.detail.json}
          </Tab>
        </TabList>
        <TabPanel id="stack" className="tab-panel">
          {exceptions.length > 0 && <ExceptionChain exceptions={exceptions} />}
          {logMessage && (
            <section className="exception">
              <h3>{m.errors.log}</h3>
              <p className="message">{logMessage}</p>
              {logFrames.length > 0 && <StackTrace frames={logFrames} />}
            </section>
          )}
          {exceptions.length === 0 && !logMessage && (
            <p className="dim">{textAt(sample, 'error.stack_trace') ?? m.errors.noFrames}</p>
          )}
        </TabPanel>
        <TabPanel id="metadata" className="tab-panel">
          <Metadata document={sample} />
        </TabPanel>
        <TabPanel id="labels" className="tab-panel">
          {labels.length > 0 ? <Fields fields={labels} /> : <p className="dim">{m.detail.noLabels}</p>}
        </TabPanel>
        <TabPanel id="json" className="tab-panel">
          <JsonView value={sample} />
        </TabPanel>
      </Tabs>
    </Panel>
  );
}
