import { useQuery } from '@tanstack/react-query';
import { traceQuery } from '../../api/queries';
import { m } from '../../base/i18n';
import { CopyButton } from '../../components/copy';
import { Crumbs } from '../../components/crumbs';
import { PageHead } from '../../components/panel';
import { useTitle } from '../../components/title';
import { TraceView } from './TraceView';

/** Where did the time go in this request? */
export function TracePage({ traceId }: { traceId: string }) {
  const { data } = useQuery(traceQuery(traceId));
  const name = data ? (data.names[data.name[0] ?? -1] ?? '') : '';
  const service = data ? (data.services[data.service[0] ?? -1] ?? '') : '';
  const title = name || `${m.traces.trace} ${traceId.slice(0, 8)}`;
  useTitle(title, service);
  return (
    <div className="page fill">
      <PageHead
        title={title}
        crumbs={
          <Crumbs
            trail={[
              { to: '/traces', label: m.traces.title },
              ...(service ? [{ to: '/services/$service' as const, params: { service }, label: service }] : []),
            ]}
          />
        }
        note={
          <span className="mono small">
            {traceId} <CopyButton text={traceId} iconOnly />
          </span>
        }
      />
      <TraceView traceId={traceId} />
    </div>
  );
}
