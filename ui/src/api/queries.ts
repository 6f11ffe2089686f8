/**
 * What the screens ask for. A key is [question, subject, scope]: while the scope changes (time range, environment), the old
 * answer for the same subject stays visible.
 */

import { queryOptions } from '@tanstack/react-query';
import type { Scope, Selection } from '../base/view';
import { answer, client } from './client';
import type { TraceSkeleton } from './types';

/** The bit of an item's `flags` that says what it is. */
const transactionFlag = 1;

type Key = readonly [question: string, subject: string, scope: object];

function ask<T>(question: string, subject: string, scope: object, run: (signal: AbortSignal) => Promise<T>) {
  return queryOptions<T, Error, T, Key>({
    queryKey: [question, subject, scope],
    queryFn: ({ signal }) => run(signal),
    placeholderData: (previous, query) => (query?.queryKey[1] === subject ? previous : undefined),
  });
}

export const statusQuery = () => ask('status', '', {}, (signal) => answer(client.GET('/api/v1/status', { signal })));

export const environmentsQuery = (scope: Scope) => {
  const query = { from: scope.from, to: scope.to };
  return ask('environments', '', query, (signal) =>
    answer(client.GET('/api/v1/environments', { params: { query }, signal })),
  );
};

export const servicesQuery = (scope: Scope) =>
  ask('services', '', scope, (signal) => answer(client.GET('/api/v1/services', { params: { query: scope }, signal })));

export const serviceQuery = (service: string, scope: Scope & { type?: string }) =>
  ask('service', service, scope, (signal) =>
    answer(client.GET('/api/v1/services/{service}', { params: { path: { service }, query: scope }, signal })),
  );

export const transactionsQuery = (service: string, scope: Scope & { type?: string }) =>
  ask('transactions', service, scope, (signal) =>
    answer(
      client.GET('/api/v1/services/{service}/transactions', { params: { path: { service }, query: scope }, signal }),
    ),
  );

export const transactionQuery = (service: string, name: string, scope: Scope & { type?: string }) => {
  const query = { ...scope, name };
  return ask('transaction', `${service}\n${name}`, scope, (signal) =>
    answer(client.GET('/api/v1/services/{service}/transaction', { params: { path: { service }, query }, signal })),
  );
};

export const samplesQuery = (
  service: string,
  name: string,
  scope: Scope & { type?: string; min_us?: number; max_us?: number },
) => {
  const query = { ...scope, name, size: 100 };
  return ask('samples', `${service}\n${name}`, scope, (signal) =>
    answer(
      client.GET('/api/v1/services/{service}/transaction/samples', { params: { path: { service }, query }, signal }),
    ),
  );
};

export const tracesQuery = (
  selection: Pick<Selection, 'service' | 'name' | 'field' | 'value' | 'min_us' | 'max_us'> & Scope,
) => {
  const query = { ...selection, size: 500 };
  return ask('traces', selection.service ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/traces', { params: { query }, signal })),
  );
};

/** While nothing but spans has come, the transaction above them is on its way: its trace is asked for again, but not forever. */
const isArriving = (trace: TraceSkeleton | undefined, answers: number) =>
  trace !== undefined && answers < 10 && !trace.flags.some((flags) => flags & transactionFlag);

export const traceQuery = (traceId: string) => ({
  ...ask('trace', traceId, {}, (signal) =>
    answer(client.GET('/api/v1/traces/{trace_id}/skeleton', { params: { path: { trace_id: traceId } }, signal })),
  ),
  // Late spans still join a fresh trace, so it is asked for again on return, but never while being read.
  staleTime: 30_000,
  refetchInterval: ({ state }: { state: { data: TraceSkeleton | undefined; dataUpdateCount: number } }) =>
    isArriving(state.data, state.dataUpdateCount) ? 1_000 : false,
  refetchOnWindowFocus: false,
  // Comparing the columns of two large answers value by value takes longer than building the trace anew.
  structuralSharing: false,
});

export const itemQuery = (traceId: string, id: string) => ({
  ...ask('item', `${traceId}/${id}`, {}, (signal) =>
    answer(client.GET('/api/v1/traces/{trace_id}/items/{id}', { params: { path: { trace_id: traceId, id } }, signal })),
  ),
  staleTime: Number.POSITIVE_INFINITY,
});

export const dependenciesQuery = (scope: Scope & { service?: string }) =>
  ask('dependencies', scope.service ?? '', scope, (signal) =>
    answer(client.GET('/api/v1/dependencies', { params: { query: scope }, signal })),
  );

export const dependencyQuery = (resource: string, scope: Scope & { service?: string }) => {
  const query = { ...scope, resource };
  return ask('dependency', resource, scope, (signal) =>
    answer(client.GET('/api/v1/dependency', { params: { query }, signal })),
  );
};

export const errorsQuery = (scope: Scope & { service?: string }) =>
  ask('errors', scope.service ?? '', scope, (signal) =>
    answer(client.GET('/api/v1/errors', { params: { query: scope }, signal })),
  );

export const errorQuery = (groupingKey: string, scope: Scope & { service?: string; occurrence?: string }) =>
  ask('error', groupingKey, scope, (signal) =>
    answer(
      client.GET('/api/v1/errors/{grouping_key}', {
        params: { path: { grouping_key: groupingKey }, query: scope },
        signal,
      }),
    ),
  );

export const tokensQuery = (selection: Selection & { size?: number }) =>
  ask('tokens', selection.service ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/llm/tokens', { params: { query: selection }, signal })),
  );

export const callsQuery = (selection: Selection & { size?: number }) =>
  ask('calls', selection.service ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/llm/calls', { params: { query: selection }, signal })),
  );

export const streamingQuery = (selection: Selection) =>
  ask('streaming', selection.service ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/llm/streaming', { params: { query: selection }, signal })),
  );

export const spendQuery = (selection: Selection & { by?: string }) =>
  ask('spend', selection.by ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/llm/spend', { params: { query: selection }, signal })),
  );

export const questionsQuery = (selection: Selection & { size?: number }) =>
  ask('questions', selection.service ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/llm/questions', { params: { query: selection }, signal })),
  );

export const sessionsQuery = (selection: Selection & { size?: number }) =>
  ask('sessions', selection.service ?? '', selection, (signal) =>
    answer(client.GET('/api/v1/sessions', { params: { query: selection }, signal })),
  );

export const sessionQuery = (id: string, scope: Scope) =>
  ask('session', id, scope, (signal) =>
    answer(client.GET('/api/v1/sessions/{id}', { params: { path: { id }, query: scope }, signal })),
  );

export const correlationsQuery = (selection: Selection & { of?: 'latency' | 'failures' | 'selection' }) =>
  ask(
    'correlations',
    `${selection.of ?? ''}\n${selection.service ?? ''}\n${selection.name ?? ''}`,
    selection,
    (signal) => answer(client.GET('/api/v1/correlations', { params: { query: selection }, signal })),
  );
