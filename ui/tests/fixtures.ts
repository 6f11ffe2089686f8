/** Answers of the API in the shape of the article's application: one search, three parallel model calls, two rate limits. */

import type {
  DependencyDetail,
  DependencyList,
  DependencySummary,
  EnvironmentList,
  ErrorGroup,
  ErrorGroupDetail,
  ErrorGroupList,
  ServiceDetail,
  ServiceList,
  Status,
  Summary,
  SummarySeries,
  TraceItem,
  TraceList,
  TraceSampleList,
  TraceSkeleton,
  TransactionDetail,
  TransactionGroupList,
} from '../src/api/types';

export const nowUs = 1_795_380_000_000_000;
const buckets = 60;
const bucketUs = 60_000_000;
export const axis = { start_us: nowUs - buckets * bucketUs, bucket_us: bucketUs, buckets };
export const range = { from_us: axis.start_us, to_us: nowUs };

function wave(base: number, swing: number): number[] {
  return Array.from({ length: buckets }, (_, i) => base + swing * Math.sin(i / 5) + (swing / 3) * Math.sin(i * 1.7));
}

function series(avg: number): SummarySeries {
  return {
    latency_avg_us: wave(avg, avg / 4).map((v, i) => (i < 6 ? null : v)),
    latency_p95_us: wave(avg * 1.6, avg / 3).map((v, i) => (i < 6 ? null : v)),
    latency_p99_us: wave(avg * 2, avg / 3).map((v, i) => (i < 6 ? null : v)),
    throughput_per_minute: wave(12, 4),
    failure_rate: wave(0.02, 0.02).map((v) => Math.max(0, v)),
  };
}

export function summary(avg: number, failure = 0.024): Summary {
  return {
    count: 1204,
    latency_avg_us: avg,
    latency_p50_us: avg * 0.9,
    latency_p95_us: avg * 1.6,
    latency_p99_us: avg * 2.1,
    throughput_per_minute: 12.1,
    failure_rate: failure,
  };
}

export const services: ServiceList = {
  range,
  axis,
  services: [
    {
      name: 'elasticdocs-gpt-v2-streaming',
      environments: ['production'],
      agent_name: 'python',
      transaction_type: 'user-query',
      summary: summary(8_500_000),
      series: series(8_500_000),
      errors: 66,
    },
    {
      name: 'web',
      environments: [],
      agent_name: 'nodejs',
      transaction_type: 'request',
      summary: summary(220_000, 0),
      series: series(220_000),
      errors: 0,
    },
  ],
  newest_event_us: nowUs,
  complete: true,
};

export const service: ServiceDetail = {
  range,
  axis,
  name: 'elasticdocs-gpt-v2-streaming',
  environments: ['production'],
  agents: ['python 6.26.2'],
  runtimes: ['python 3.11.7', 'CPython 3.11.7'],
  versions: [],
  instances: ['localhost'],
  transaction_types: ['user-query', 'request'],
  transaction_type: 'user-query',
  summary: summary(8_500_000),
  series: series(8_500_000),
  time_by_span_type: [
    { span_type: 'openai', span_subtype: null, count: 1204, sum_us: 9_800_000_000, share: 0.93 },
    { span_type: 'external', span_subtype: 'http', count: 4800, sum_us: 600_000_000, share: 0.06 },
    { span_type: 'app', span_subtype: null, count: 1204, sum_us: 60_000_000, share: 0.01 },
  ],
  complete: true,
};

export const transactions: TransactionGroupList = {
  range,
  transaction_type: 'user-query',
  groups: [
    { name: 'user-query', summary: summary(8_500_000), impact: 0.97 },
    { name: 'GET /health', summary: summary(1_200, 0), impact: 0.03 },
  ],
  groups_omitted: 0,
  complete: true,
};

export const transaction: TransactionDetail = {
  range,
  axis,
  name: 'user-query',
  transaction_type: 'user-query',
  summary: summary(8_500_000),
  series: series(8_500_000),
  distribution: {
    buckets: Array.from({ length: 60 }, (_, i) => {
      const from = Math.round(1e6 * 1.06 ** i);
      const count = Math.round(60 * Math.exp(-(((i - 22) / 6) ** 2)) + 30 * Math.exp(-(((i - 42) / 5) ** 2)));
      return {
        from_us: from,
        to_us: Math.round(1e6 * 1.06 ** (i + 1)),
        count,
        failed: i > 44 ? Math.round(count / 4) : 0,
      };
    }),
  },
  complete: true,
};

const traceId = 'd3e3d522650a827cde9f104da7e912c9';

export const samples: TraceSampleList = {
  selected: 61,
  samples: Array.from({ length: 3 }, (_, i) => ({
    trace_id: traceId,
    transaction_id: `21a768dc12ab98a${i}`,
    timestamp_us: nowUs - i * 30e6,
    duration_us: 1_785_624 * (i + 1),
    outcome: i === 2 ? ('failure' as const) : ('success' as const),
  })),
};

export const traces: TraceList = {
  range,
  total: 1204,
  traces: samples.samples.map((s) => ({ ...s, service: 'elasticdocs-gpt-v2-streaming', name: 'user-query' })),
  complete: true,
};

interface Item {
  name: string;
  type: string;
  kind: 'llm' | 'retrieval' | 'http' | 'db' | 'tool' | 'other';
  offset: number;
  duration: number;
  flags: number;
  children?: Item[];
  composite?: [number, number];
  status?: number;
  errors?: number;
  attempt?: number;
  first?: number;
  chunks?: number;
  service?: string;
}

/** Columns from a tree, as the server sends them. */
export function skeletonOf(roots: Item[], more: Partial<TraceSkeleton> = {}): TraceSkeleton {
  const s: TraceSkeleton = {
    trace_id: traceId,
    start_us: nowUs,
    duration_us: 0,
    items: 0,
    id: [],
    parent: [],
    subtree: [],
    offset_us: [],
    duration: [],
    name: [],
    service: [],
    type: [],
    kind: [],
    flags: [],
    composite_count: [],
    composite_sum_us: [],
    status_code: [],
    error_count: [],
    attempt: [],
    first_chunk_us: [],
    arrivals: [],
    calls: [],
    llm: null,
    chunks: [],
    names: [],
    services: [],
    types: [],
    errors: [],
    critical_path: [],
    dropped_spans: 0,
    orphans: [],
    complete: true,
  };
  const at = (list: string[], text: string) => {
    const i = list.indexOf(text);
    return i >= 0 ? i : list.push(text) - 1;
  };
  const add = (item: Item, parent: number) => {
    const i = s.id.length;
    s.id.push(i.toString(16).padStart(16, '0'));
    s.parent.push(parent);
    s.subtree.push(1);
    s.offset_us.push(item.offset);
    s.duration.push(item.duration);
    s.name.push(at(s.names, item.name));
    s.service.push(at(s.services, item.service ?? 'elasticdocs-gpt-v2-streaming'));
    s.type.push(at(s.types, item.type));
    s.kind.push(item.kind);
    s.flags.push(item.flags);
    s.composite_count.push(item.composite?.[0] ?? 0);
    s.composite_sum_us.push(item.composite?.[1] ?? 0);
    s.status_code.push(item.status ?? 0);
    s.error_count.push(item.errors ?? 0);
    s.attempt.push(item.attempt ?? 0);
    s.first_chunk_us.push(item.first ?? -1);
    s.chunks.push(item.chunks ?? 0);
    s.duration_us = Math.max(s.duration_us, item.offset + item.duration);
    for (const child of item.children ?? []) add(child, i);
    s.subtree[i] = s.id.length - i;
  };
  for (const root of roots) add(root, -1);
  s.items = s.id.length;
  return { ...s, ...more };
}

const call = (offset: number, duration: number): Item => ({
  name: 'openaiChatCompletion',
  type: 'openai',
  kind: 'llm',
  offset,
  duration,
  flags: 256 + 4,
  attempt: 2,
  first: 366_000,
  chunks: 62,
  children: [
    {
      name: 'POST 127.0.0.1:8081',
      type: 'external.http',
      kind: 'llm',
      offset: offset + 500,
      duration: 257_747,
      flags: 4,
      status: 200,
    },
    {
      name: 'token',
      type: 'http',
      kind: 'llm',
      offset: offset + 366_000,
      duration: duration - 370_000,
      flags: 4 + 64 + 512,
      composite: [62, 3793],
    },
  ],
});

const failedCall = (offset: number, duration: number): Item => ({
  name: 'openaiChatCompletion',
  type: 'openai',
  kind: 'llm',
  offset,
  duration,
  flags: 256 + 2,
  attempt: 1,
  errors: 1,
  children: [
    {
      name: 'POST 127.0.0.1:8081',
      type: 'external.http',
      kind: 'llm',
      offset: offset + 400,
      duration: duration - 3000,
      flags: 2,
      status: 429,
    },
  ],
});

export const trace: TraceSkeleton = skeletonOf(
  [
    {
      name: 'user-query',
      type: 'user-query',
      kind: 'http',
      offset: 0,
      duration: 1_785_624,
      flags: 1 + 4,
      children: [
        {
          name: 'POST 127.0.0.1:8081',
          type: 'external.http',
          kind: 'retrieval',
          offset: 1200,
          duration: 53_325,
          flags: 4,
          status: 200,
        },
        {
          name: 'individual-results',
          type: 'openai',
          kind: 'llm',
          offset: 55_293,
          duration: 1_730_119,
          flags: 4,
          children: [
            failedCall(55_500, 71_159),
            failedCall(71_700, 142_831),
            call(501_000, 1_283_164),
            call(726_000, 1_058_348),
          ],
        },
        ...Array.from(
          { length: 7 },
          (_, i): Item => ({
            name: 'SELECT documents',
            type: 'db.sqlite',
            kind: 'db',
            offset: 2000 + i * 7000,
            duration: 4000,
            flags: 4,
          }),
        ),
        { name: 'write answer', type: 'app', kind: 'tool', offset: 1_780_000, duration: 3000, flags: 4 + 8 + 16 },
      ],
    },
  ],
  {
    errors: [
      {
        id: 'e1',
        item: 3,
        offset_us: 76_000,
        grouping_key: 'abc',
        service: 'elasticdocs-gpt-v2-streaming',
        exception_type: 'RateLimitError',
        message: 'Rate limit reached for requests',
        culprit: 'achat_gpt',
      },
      {
        id: 'e2',
        item: 5,
        offset_us: 214_000,
        grouping_key: 'abc',
        service: 'elasticdocs-gpt-v2-streaming',
        exception_type: 'RateLimitError',
        message: 'Rate limit reached for requests',
        culprit: 'achat_gpt',
      },
    ],
    critical_path: [
      { item: 0, from_us: 0, to_us: 1200 },
      { item: 1, from_us: 1200, to_us: 54_525 },
      { item: 0, from_us: 54_525, to_us: 55_293 },
      { item: 2, from_us: 55_293, to_us: 501_000 },
      { item: 7, from_us: 501_000, to_us: 1_784_164 },
      { item: 0, from_us: 1_784_164, to_us: 1_785_624 },
    ],
  },
);

const frame = (library: boolean, name: string, line: number) => ({
  filename: library ? 'openai/api_requestor.py' : 'app/search.py',
  function: name,
  module: library ? 'openai.api_requestor' : 'app.search',
  line: { number: line, context: `        answer = ${name}(prompt)` },
  context: { pre: ['    try:'], post: ['    except RateLimitError:'] },
  library_frame: library,
  vars: library ? undefined : { prompt: 'How do I mount a frozen index?', tries: 0 },
});

export const errorDocument = {
  '@timestamp': '2026-11-22T23:00:00.000Z',
  processor: { event: 'error' },
  service: { name: 'elasticdocs-gpt-v2-streaming', language: { name: 'python' } },
  labels: { query: 'how do I set the number of shards?' },
  error: {
    id: 'e1',
    grouping_key: 'abc',
    culprit: 'app.search.achat_gpt',
    exception: [
      {
        type: 'RateLimitError',
        module: 'openai.error',
        message: 'Rate limit reached for requests. Please retry after 1 second.',
        handled: false,
        stacktrace: [
          frame(false, 'achat_gpt', 53),
          frame(true, 'arequest', 372),
          frame(true, 'request', 668),
          frame(false, 'user_query', 89),
        ],
      },
      { type: 'ConnectionError', message: '<script>alert(1)</script>', stacktrace: [frame(true, 'send', 12)] },
    ],
  },
};

export const item: TraceItem = {
  document: {
    '@timestamp': '2026-11-22T23:00:00.000Z',
    processor: { event: 'span' },
    trace: { id: traceId },
    span: {
      id: '0000000000000003',
      name: 'openaiChatCompletion',
      type: 'openai',
      stacktrace: [frame(false, 'achat_gpt', 52), frame(true, '_run', 1922)],
    },
    service: { name: 'elasticdocs-gpt-v2-streaming', language: { name: 'python', version: '3.11.7' } },
    labels: { query: 'how do I set the number of shards?' },
    numeric_labels: { openai_tokens: 482, openai_cost: 0.000964 },
    gen_ai: { provider: { name: 'openai' }, request: { model: 'gpt-35-turbo' } },
    tokenfall: { dependency: { resource: 'openai' } },
  },
  errors: [errorDocument],
};

const dependency = (
  resource: string,
  type: string,
  avg: number,
  impact: number,
  models: string[],
): DependencySummary => ({
  resource,
  type,
  models,
  callers: ['elasticdocs-gpt-v2-streaming'],
  summary: summary(avg, type === 'genai' ? 0.024 : 0),
  series: series(avg),
  impact,
});

export const dependencies: DependencyList = {
  range,
  axis,
  dependencies: [
    dependency('openai', 'genai', 8_500_000, 0.97, ['gpt-35-turbo']),
    dependency('elasticsearch', 'db', 125_000, 0.03, []),
  ],
  complete: true,
};

export const dependencyDetail: DependencyDetail = {
  range,
  axis,
  dependency: dependencies.dependencies[0] ?? null,
  callers: [{ name: 'elasticdocs-gpt-v2-streaming', summary: summary(8_500_000), impact: 1 }],
  operations: [{ name: 'openaiChatCompletion', summary: summary(8_500_000), impact: 1 }],
  samples: samples.samples,
  complete: true,
};

const group: ErrorGroup = {
  grouping_key: 'abc',
  service: 'elasticdocs-gpt-v2-streaming',
  exception_type: 'RateLimitError',
  message: 'Rate limit reached for requests. Please retry after 1 second.',
  culprit: 'app.search.achat_gpt',
  handled: false,
  occurrences: 66,
  first_seen_us: nowUs - 3000e6,
  last_seen_us: nowUs - 20e6,
  series: wave(2, 2).map((v) => Math.max(0, Math.round(v))),
};

export const errors: ErrorGroupList = {
  range,
  axis,
  groups: [group],
  groups_omitted: 0,
  series: group.series,
  complete: true,
};

export const errorDetail: ErrorGroupDetail = {
  range,
  axis,
  group,
  transactions: [
    { name: 'user-query', type: 'user-query', occurrences: 60 },
    { name: null, type: null, occurrences: 6 },
  ],
  occurrences: Array.from({ length: 3 }, (_, i) => ({
    error_id: `e${i + 1}`,
    timestamp_us: nowUs - i * 20e6,
    trace_id: traceId,
    transaction_id: '0000000000000000',
    parent_id: '0000000000000003',
  })),
  sample: errorDocument,
  complete: true,
};

export const environments: EnvironmentList = { environments: ['production'], has_undefined: true };

export const status: Status = {
  version: '0.1.0',
  auth_required: false,
  events: { transaction: 1, span: 23, error: 6, metricset: 12, log: 0 },
  newest_service: {
    name: 'elasticdocs-gpt-v2-streaming',
    agent_name: 'python',
    agent_version: '6.26.2',
    timestamp_us: nowUs,
    trace_id: traceId,
  },
  intake: { requests: 1, unauthorized: 0, invalid: 0, unavailable: 0, events_accepted: 42, events_rejected: 0 },
};

export const emptyStatus: Status = {
  ...status,
  events: { transaction: 0, span: 0, error: 0, metricset: 0, log: 0 },
  newest_service: null,
  intake: { requests: 3, unauthorized: 3, invalid: 0, unavailable: 0, events_accepted: 0, events_rejected: 0 },
};

const empty = { range, axis, complete: true };

/** The answer for a path; `mode` says whether there is data in the range, ever, or at all. */
export function answerFor(path: string, mode: 'full' | 'range' | 'never' = 'full'): unknown {
  const none = mode !== 'full';
  if (path === '/api/v1/status') return mode === 'never' ? emptyStatus : status;
  if (path === '/api/v1/environments') return environments;
  if (path === '/api/v1/services')
    return none ? { ...services, services: [], newest_event_us: mode === 'never' ? null : nowUs } : services;
  if (path === '/api/v1/traces') return none ? { ...traces, traces: [], total: 0 } : traces;
  if (path === '/api/v1/dependencies') return none ? { ...empty, dependencies: [] } : dependencies;
  if (path === '/api/v1/dependency')
    return none
      ? { ...dependencyDetail, dependency: null, callers: [], operations: [], samples: [] }
      : dependencyDetail;
  if (path === '/api/v1/errors') return none ? { ...errors, groups: [] } : errors;
  if (path.startsWith('/api/v1/errors/'))
    return none ? { ...errorDetail, group: null, occurrences: [], transactions: [], sample: null } : errorDetail;
  if (path.endsWith('/transactions')) return none ? { ...transactions, groups: [] } : transactions;
  if (path.endsWith('/transaction'))
    return none ? { ...transaction, summary: { ...summary(0), count: 0 }, distribution: { buckets: [] } } : transaction;
  if (path.endsWith('/samples')) return none ? { samples: [], selected: 0 } : samples;
  if (path.endsWith('/skeleton')) return none ? undefined : trace;
  if (path.includes('/items/')) return item;
  if (path.startsWith('/api/v1/services/'))
    return none ? { ...service, agents: [], transaction_types: [], transaction_type: null } : service;
  return undefined;
}
