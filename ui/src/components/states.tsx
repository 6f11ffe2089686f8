/** What a panel shows while it has no answer, when it failed, and when there is nothing to show. */

import type { UseQueryResult } from '@tanstack/react-query';
import { CloudOff, Inbox, SearchX, TriangleAlert } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '../api/client';
import { m } from '../base/i18n';
import { CopyButton } from './copy';
import { useScope, useSetView } from './view';

const skeletonAfterMs = 150;

/** Grey bars in the shape of a table; they wait a moment so that fast answers do not flicker. */
export function Skeleton({ rows = 5, height }: { rows?: number; height?: number }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), skeletonAfterMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" role="status" aria-label={m.common.loading} style={height ? { height } : undefined}>
      {shown &&
        Array.from({ length: rows }, (_, i) => (
          <span key={i} className="skeleton-bar" style={{ width: `${92 - ((i * 17) % 40)}%` }} />
        ))}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: Error; retry: () => void }) {
  const api = error instanceof ApiError ? error : null;
  const message = api?.status === 0 ? m.states.offline : error.message || (api ? `HTTP ${api.status}` : '');
  return (
    <div className="state" role="alert">
      {api?.status === 0 ? (
        <CloudOff size={22} aria-hidden />
      ) : (
        <TriangleAlert size={22} aria-hidden className="error-text" />
      )}
      <h2>{m.states.errorTitle}</h2>
      <p>{message}</p>
      {api?.requestId && <p className="dim mono small">{m.states.requestId(api.requestId)}</p>}
      <div className="row-actions">
        <button type="button" className="button" onClick={retry}>
          {m.common.retry}
        </button>
        <CopyButton
          label={m.common.copyDetails}
          text={`${message}\n${api?.code ?? ''} ${api?.status ?? ''} ${api?.requestId ?? ''}\n${location.href}`}
        />
      </div>
    </div>
  );
}

export function Partial({ complete }: { complete: boolean }) {
  return complete ? null : (
    <p className="strip" role="status">
      <TriangleAlert size={14} aria-hidden /> {m.states.partial}
    </p>
  );
}

export function Empty({
  title,
  text,
  children,
  icon,
  heading: Heading = 'h2',
}: {
  title: string;
  text?: string | undefined;
  children?: ReactNode;
  icon?: ReactNode;
  heading?: 'h1' | 'h2';
}) {
  return (
    <div className="state">
      {icon ?? <Inbox size={22} aria-hidden />}
      <Heading>{title}</Heading>
      {text && <p>{text}</p>}
      {children && <div className="row-actions">{children}</div>}
    </div>
  );
}

/** Filtered away: the text in the URL hides every row. */
export function FilteredAway({ filter }: { filter: string }) {
  const setView = useSetView();
  return (
    <Empty title={m.states.filterTitle} text={m.states.filterText(filter)} icon={<SearchX size={22} aria-hidden />}>
      <button type="button" className="button" onClick={() => setView({ q: undefined })}>
        {m.states.removeFilter}
      </button>
    </Empty>
  );
}

/** The environment picker hides every row, if one is chosen. */
export function RemoveEnvironment() {
  const { env } = useScope();
  const setView = useSetView();
  return env ? (
    <button type="button" className="button" onClick={() => setView({ env: undefined })}>
      {m.states.removeEnv}
    </button>
  ) : null;
}

/** Shows an answer, or why there is none yet. Old data stays visible, dimmed, while new data is on the way. */
export function Loaded<T>({
  query,
  rows,
  height,
  children,
}: {
  query: UseQueryResult<T, Error>;
  rows?: number;
  height?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) {
    return (
      <div className={query.isPlaceholderData ? 'stale' : undefined} aria-busy={query.isPlaceholderData}>
        {query.isError && !query.isFetching && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {children(query.data)}
      </div>
    );
  }
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <Skeleton {...(rows ? { rows } : {})} {...(height ? { height } : {})} />;
}
