/** Answers about model calls: two models, four seconds for 100 tokens, some failures, one that is slow for its size. */

import type {
  CallList,
  CallRow,
  Correlation,
  CorrelationsAnswer,
  StreamingAnswer,
  TokenFit,
  TokenPoints,
  TokensAnswer,
} from '../src/api/types';
import { axis, nowUs, range } from './fixtures';

/** A repeatable sequence of numbers from 0 to 1. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

export const models = ['gpt-3.5-turbo', 'gpt-4', 'claude-3-haiku'];
const perToken = [23_800, 41_000, 12_500];
const first = [600_000, 1_100_000, 380_000];

export function points(n: number): TokenPoints {
  const random = sequence(7);
  const out: TokenPoints = { tokens: [], duration_us: [], timestamp_us: [], model: [], failed: [], models };
  for (let i = 0; i < n; i++) {
    const pick = random();
    const model = pick < 0.55 ? 0 : pick < 0.85 ? 1 : pick < 0.98 ? 2 : -1;
    const tokens = Math.max(1, Math.round(30 + 620 * random() ** 1.6));
    const noise = 0.8 + 0.4 * ((random() + random() + random()) / 3);
    const known = Math.max(0, model);
    const slow = random() < 0.01 ? 2.4 : 1;
    out.tokens.push(tokens);
    out.duration_us.push(Math.round(((first[known] ?? 0) + tokens * (perToken[known] ?? 0) * noise) * slow));
    out.timestamp_us.push(nowUs - Math.round(random() * 3.6e9));
    out.model.push(model);
    out.failed.push(random() < 0.02);
  }
  return out;
}

function lineOf(model: string | null, count: number, start: number, slope: number): TokenFit {
  return {
    model,
    count,
    intercept_us: start,
    intercept_error_us: start / 20,
    us_per_token: slope,
    us_per_token_error: slope / 50,
    seconds_per_100_tokens: (slope * 100) / 1e6,
    r_squared: 0.978,
    residual_us: 810_000,
    band: [30, 120, 240, 360, 480, 640].map((tokens) => {
      const middle = start + slope * tokens;
      const half = 60_000 + Math.abs(tokens - 300) * 900;
      return { tokens, low_us: middle - half, fit_us: middle, high_us: middle + half };
    }),
  };
}

export function call(i: number): CallRow {
  return {
    trace_id: `d3e3d522650a827cde9f104da7e912${(16 + i).toString(16)}`,
    span_id: `00f067aa0ba902${(16 + i).toString(16)}`,
    service: 'elasticdocs-gpt-v2-streaming',
    name: 'openaiChatCompletion',
    model: models[i % 3] ?? null,
    timestamp_us: nowUs - i * 61_000_000,
    duration_us: 11_900_000 - i * 412_000,
    output_tokens: i === 2 ? null : 396 - i * 11,
    usd: i === 3 ? null : '0.012437',
    outcome: i === 1 ? 'failure' : 'success',
  };
}

export function tokens(n = 1204): TokensAnswer {
  return {
    range,
    of: 'calls',
    matching: n,
    unknown: 17,
    points: points(n),
    fits: [
      lineOf(null, n, 640_000, 28_000),
      lineOf('gpt-3.5-turbo', 662, 600_000, 23_800),
      lineOf('gpt-4', 361, 1_100_000, 41_000),
      lineOf('claude-3-haiku', 157, 380_000, 12_500),
    ],
    per_100_tokens: [0, 64, 128, 192, 256, 384, 512].map((from, i) => ({
      from_tokens: from,
      to_tokens: from + 64,
      count: 120,
      p10_us: 1_900_000 + 400_000 / (i + 1),
      p50_us: 2_700_000 + 900_000 / (i + 1),
      p90_us: 4_100_000 + 1_900_000 / (i + 1),
    })),
    slow_for_size: [0, 1, 2].map((i) => ({ ...call(i), expected_us: 4_100_000, excess_us: 7_800_000 - i * 900_000 })),
    sources: { reported: 820, counted: 260, derived: 84, estimated: 40 },
    complete: true,
  };
}

export const calls: CallList = {
  range,
  total: 61,
  calls: Array.from({ length: 12 }, (_, i) => call(i)),
  complete: true,
};

function streamingFigures(scale: number): StreamingAnswer['total'] {
  return {
    calls: Math.round(940 * scale),
    time_to_first_token_p50_us: 620_000 * scale,
    time_to_first_token_p95_us: 1_840_000 * scale,
    time_to_first_token_p99_us: 3_100_000,
    inter_token_p50_us: 23_800 * scale,
    inter_token_p95_us: 61_000,
    tokens_per_second_p50: 41.6 / scale,
    tokens_per_second_p5: 12.4,
    with_gaps: 610,
    stalled: 22,
    stalls: 31,
    stall_us: 28_400_000,
  };
}

const wave = (base: number) =>
  Array.from({ length: axis.buckets }, (_, i) => (i < 5 ? null : base * (1 + 0.3 * Math.sin(i / 4))));
const bell = (n: number, from: number, ratio: number) =>
  Array.from({ length: n }, (_, i) => ({
    from: from * ratio ** i,
    to: from * ratio ** (i + 1),
    count: Math.round(180 * Math.exp(-((i - n / 2.6) ** 2) / 14)),
  }));
const durationBars = (from: number) =>
  bell(24, from, 1.25).map((b) => ({ from_us: Math.round(b.from), to_us: Math.round(b.to), count: b.count }));

export const streaming: StreamingAnswer = {
  range,
  axis,
  total: streamingFigures(1),
  models: models.map((model, i) => ({ model, figures: streamingFigures([0.62, 0.28, 0.1][i] ?? 1) })),
  series: {
    time_to_first_token_p50_us: wave(620_000),
    time_to_first_token_p95_us: wave(1_840_000),
    inter_token_p50_us: wave(23_800),
    tokens_per_second_p50: wave(41.6),
    calls: wave(16).map((v) => Math.round(v ?? 0)),
    stalls: wave(1).map((v, i) => (v && i % 7 === 0 ? 2 : 0)),
  },
  time_to_first_token: durationBars(90_000),
  inter_token: durationBars(4_000),
  tokens_per_second: bell(18, 4, 1.22),
  stalled: [0, 1].map((i) => ({
    ...call(i),
    stalls: [
      {
        offset_us: 2_310_000,
        gap_us: 1_420_000,
        after_chunks: 81,
        text_before: 'is a distributed search and analytics ',
      },
      { offset_us: 5_020_000, gap_us: 610_000, after_chunks: 140, text_before: null },
      { offset_us: 6_100_000, gap_us: 480_000, after_chunks: 171, text_before: '<script>alert(1)</script> inverted' },
      { offset_us: 7_900_000, gap_us: 300_000, after_chunks: 201, text_before: null },
    ],
  })),
  not_streamed: 264,
  complete: true,
};

const bars = Array.from({ length: 26 }, (_, i) => ({
  from_us: Math.round(200_000 * 1.22 ** i),
  to_us: Math.round(200_000 * 1.22 ** (i + 1)),
  all: Math.round(150 * Math.exp(-((i - 11) ** 2) / 22)),
  selected: i > 15 ? Math.round(40 * Math.exp(-((i - 19) ** 2) / 8)) : 0,
}));

function correlation(field: string, value: string, more: Partial<Correlation> = {}): Correlation {
  return {
    field,
    value,
    from: null,
    to: null,
    same_as: [],
    count: 106,
    selected_count: 53,
    selected_share: 0.86,
    baseline_share: 0.09,
    score: 0.61,
    kibana_p: 1e-9,
    impact: 'high',
    p: 1e-12,
    q: 4e-11,
    is_significant: true,
    effect_us: 5_420_000,
    effect_usd: 0.0093,
    effect_failure_points: 2.4,
    distribution: bars.map((b, i) => (i > 13 ? Math.round(b.all * 0.6) : Math.round(b.all * 0.04))),
    ...more,
  };
}

export function correlations(of: CorrelationsAnswer['of'], more: Partial<CorrelationsAnswer> = {}): CorrelationsAnswer {
  return {
    range,
    of,
    selected: {
      count: of === 'latency' ? 1204 : 61,
      latency_avg_us: 8_900_000,
      failure_rate: 0.041,
      usd_avg: '0.0171',
    },
    baseline: {
      count: of === 'latency' ? 1204 : 1143,
      latency_avg_us: 3_100_000,
      failure_rate: 0.012,
      usd_avg: '0.0054',
    },
    correlations: [
      correlation('labels.model', 'gpt-4', { same_as: [{ field: 'labels.tier', value: 'gold' }] }),
      correlation('labels.prompt_tokens', '≥ 3,012', {
        from: 3012,
        impact: 'medium',
        score: 0.38,
        baseline_share: 0.14,
      }),
      correlation('user.id', 'customer-with-a-very-long-name-4711@example.org', {
        impact: 'low',
        score: 0.12,
        selected_share: 0.21,
        baseline_share: 0,
        effect_us: -310_000,
        effect_usd: null,
        effect_failure_points: null,
      }),
      correlation('host.name', 'web-2', { impact: 'very_low', score: 0.02, q: 0.4, p: 0.2, is_significant: false }),
    ],
    is_significant: true,
    tested: 1310,
    fields: Array.from({ length: 41 }, (_, i) => `labels.f${i}`),
    fields_sampled: ['labels.request_id'],
    false_discovery_rate: 0.05,
    not_enough: false,
    distribution: bars,
    complete: true,
    ...more,
  };
}

const none = { tokens: [], duration_us: [], timestamp_us: [], model: [], failed: [], models: [] };

/** The answer for a path, or undefined if it is not about model calls. */
export function llmAnswer(path: string, query: URLSearchParams, mode: 'full' | 'range' = 'full'): unknown {
  const empty = mode === 'range';
  switch (path) {
    case '/api/v1/llm/tokens':
      return empty
        ? { ...tokens(0), points: none, unknown: 0, fits: [], per_100_tokens: [], slow_for_size: [] }
        : { ...tokens(), of: query.get('points') ?? 'calls' };
    case '/api/v1/llm/calls':
      return empty ? { ...calls, total: 0, calls: [] } : calls;
    case '/api/v1/llm/streaming':
      return empty ? { ...streaming, total: { ...streaming.total, calls: 0 }, not_streamed: 0, models: [] } : streaming;
    case '/api/v1/correlations': {
      const of = (query.get('of') ?? 'latency') as CorrelationsAnswer['of'];
      const nothing = { count: 0, latency_avg_us: null, failure_rate: null, usd_avg: null };
      return empty
        ? correlations(of, { selected: nothing, baseline: nothing, correlations: [], is_significant: false })
        : correlations(of);
    }
    default:
      return undefined;
  }
}
