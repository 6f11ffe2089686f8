/** The URL's state in components, links that keep the time range, and data that follows both. */

import { type UseQueryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useSyncExternalStore } from 'react';
import { createStore } from '../base/store';
import { isRelative } from '../base/time';
import { parseView, type Scope, scopeOf, type View } from '../base/view';

/** True while screens refresh by themselves. */
export const live = createStore(false);

export type Patch = { [K in keyof View]?: View[K] | undefined };

export function useView(): View {
  const search = useLocation({ select: (location) => location.search as Record<string, unknown> });
  return useMemo(() => parseView(search), [search]);
}

export function useScope(): Scope {
  const { from, to, env } = useView();
  return useMemo(() => scopeOf({ from, to, ...(env ? { env } : {}) }), [from, to, env]);
}

/** Changes the URL's state: steps of the reader are pushed, typing and dragging replace. */
export function useSetView(): (patch: Patch, mode?: 'push' | 'replace') => void {
  const navigate = useNavigate();
  return useCallback(
    (patch, mode = 'push') => {
      void navigate({
        to: '.',
        search: ((old: Record<string, unknown>) => ({ ...parseView(old), ...patch })) as never,
        replace: mode === 'replace',
        resetScroll: false,
      });
    },
    [navigate],
  );
}

/** A screen that can be linked to. */
export type Destination =
  | {
      to:
        | '/'
        | '/traces'
        | '/dependencies'
        | '/errors'
        | '/start'
        | '/llm'
        | '/llm/streaming'
        | '/llm/cost'
        | '/llm/questions'
        | '/sessions'
        | '/correlations';
      params?: undefined;
    }
  | { to: '/sessions/$id'; params: { id: string } }
  | {
      to:
        | '/services/$service'
        | '/services/$service/transactions'
        | '/services/$service/dependencies'
        | '/services/$service/errors';
      params: { service: string };
    }
  | { to: '/services/$service/transactions/$name'; params: { service: string; name: string } }
  | { to: '/traces/$traceId'; params: { traceId: string } }
  | { to: '/dependencies/$resource'; params: { resource: string } }
  | { to: '/errors/$key'; params: { key: string } };

export function useGo(): (destination: Destination, search?: Patch) => void {
  const navigate = useNavigate();
  return useCallback(
    ({ to, params }, search) => {
      void navigate({
        to,
        params,
        search: ((old: Record<string, unknown>) => ({ ...scopeOf(parseView(old)), ...search })) as never,
      } as never);
    },
    [navigate],
  );
}

type GoProps = Destination & {
  search?: Patch;
  className?: string;
  children: ReactNode;
  title?: string;
  'aria-label'?: string;
  'aria-current'?: 'page';
};

/** A link to another screen that takes the time range and environment along. */
export function Go({ to, params, search, ...rest }: GoProps) {
  const props = {
    to,
    params,
    search: (old: Record<string, unknown>) => ({ ...scopeOf(parseView(old)), ...search }),
    ...rest,
  };
  return <Link {...(props as unknown as { to: '.' })} />;
}

export function useLive(): boolean {
  return useSyncExternalStore(live.subscribe, live.get);
}

type Key = readonly [string, string, object];

/** Asks the server, again every 5 seconds while the page is live and its range moves with the clock. */
export function useData<T>(options: UseQueryOptions<T, Error, T, Key>): UseQueryResult<T, Error> {
  const isLive = useLive();
  const { to } = useView();
  return useQuery({ ...options, refetchInterval: isLive && isRelative(to) ? 5000 : false });
}
