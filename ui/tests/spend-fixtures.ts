/** Answers about money: two models, one without a price, questions with variants, a session with a failed turn. */

import type { QuestionList, SessionDetail, SessionList, SpendAnswer, SpendFigures } from '../src/api/types';
import { nowUs, range } from './fixtures';

const dayUs = 86_400_000_000;

function figures(usd: string, transactions: number | null, calls: number): SpendFigures {
  return {
    transactions,
    calls,
    unpriced_calls: 2,
    usd,
    usd_per_transaction: transactions === null ? null : '0.0111',
    usd_per_call: '0.0037',
    failed_transactions_usd: '0.5',
    failed_calls_usd: '0',
    input_tokens: 1_000_000,
    output_tokens: 200_000,
    total_tokens: 1_200_000,
    sources: { reported: 900_000, counted: 0, derived: 0, estimated: 300_000 },
    failed_transactions: transactions === null ? null : 7,
  };
}

const row = (key: string, usd: string, share: number, transactions: number | null) => ({
  ...figures(usd, transactions, 300),
  key,
  share,
  latency_avg_us: 8_500_000,
  failure_rate: 0.031,
});

export const spend: SpendAnswer = {
  range,
  total: figures('24.1524927', 3000, 7727),
  series: {
    start_us: nowUs - 3 * dayUs,
    bucket_us: dayUs,
    usd: ['8', '8.1524927', '8'],
    transactions: [1000, 1000, 1000],
  },
  forecast: {
    month: '2026-11',
    spent_usd: '21.17',
    expected_usd: '23.39',
    low_usd: '23.04',
    high_usd: '23.74',
    days: 27,
  },
  by: 'model',
  rows: [row('gpt-4o', '20', 0.828, null), row('gpt-4o-mini', '4', 0.1656, null)],
  rows_omitted: 3,
  omitted_usd: '0.1',
  unattributed_usd: '0.0524927',
  unpriced: [{ provider: 'openai', model: 'our-own', calls: 2, reason: 'no_price' }],
  complete: true,
};

export const spendByUser: SpendAnswer = {
  ...spend,
  by: 'user',
  rows: [row('anna', '20', 0.828, 2000), row('<b>ben</b>', '4.1', 0.17, 1000)],
};

export const questions: QuestionList = {
  range,
  asked: 5,
  questions_omitted: 12,
  questions: [
    {
      question: 'How do I mount a frozen node?',
      variants: ['How do I mount a frozen node?', 'how do i mount a frozen node'],
      count: 3,
      users: 2,
      latency_avg_us: 17_400_000,
      latency_p95_us: 28_700_000,
      failure_rate: 0.33,
      usd: '0.0273',
      usd_per_question: '0.0091',
      total_tokens: 12_000,
      last_us: nowUs,
    },
    {
      question: '<img src=x onerror=alert(1)>',
      variants: ['<img src=x onerror=alert(1)>'],
      count: 2,
      users: null,
      latency_avg_us: null,
      latency_p95_us: null,
      failure_rate: null,
      usd: null,
      usd_per_question: null,
      total_tokens: null,
      last_us: nowUs,
    },
  ],
  complete: true,
};

const session = {
  id: 's-1',
  user: 'anna',
  services: ['rag', 'assistant'],
  turns: 2,
  failed: 1,
  first_us: nowUs - 60_000_000,
  last_us: nowUs,
  latency_avg_us: 8_000_000,
  waited_us: 16_000_000,
  calls: 4,
  total_tokens: 4_000,
  usd: '0.0201',
};

export const sessions: SessionList = { range, sessions: [session], total: 40, complete: true };

export const sessionDetail: SessionDetail = {
  range,
  session,
  turns: [
    {
      trace_id: '0123456789abcdef0123456789abcdef',
      transaction_id: '0123456789abcdef',
      service: 'rag',
      name: 'user-query',
      timestamp_us: nowUs - 60_000_000,
      duration_us: 9_000_000,
      time_to_first_token_us: 700_000,
      pause_us: null,
      question: 'What is a shard?',
      answers: ['A shard is <script>alert(1)</script> a part of an index.'],
      models: ['gpt-4o'],
      calls: 3,
      total_tokens: 4_000,
      usd: '0.0201',
      outcome: 'success',
      errors: [],
    },
    {
      trace_id: 'fedcba9876543210fedcba9876543210',
      transaction_id: 'fedcba9876543210',
      service: 'assistant',
      name: 'ask',
      timestamp_us: nowUs,
      duration_us: 7_000_000,
      time_to_first_token_us: null,
      pause_us: 51_000_000,
      question: null,
      answers: [],
      models: [],
      calls: 1,
      total_tokens: null,
      usd: null,
      outcome: 'failure',
      errors: ['RateLimitError'],
    },
  ],
  complete: true,
};

/** The answer for a path, or undefined if it is not about money or sessions. */
export function spendAnswer(path: string, query: URLSearchParams, mode: 'full' | 'range' = 'full'): unknown {
  const empty = mode === 'range';
  switch (path) {
    case '/api/v1/llm/spend':
      if (empty) return { ...spend, total: { ...figures('0', 0, 0), total_tokens: 0 }, rows: [], unpriced: [] };
      return query.get('by') === 'user' ? spendByUser : spend;
    case '/api/v1/llm/questions':
      return empty ? { ...questions, asked: 0, questions: [], questions_omitted: 0 } : questions;
    case '/api/v1/sessions':
      return empty ? { ...sessions, sessions: [], total: 0 } : sessions;
    case '/api/v1/sessions/s-1':
      return sessionDetail;
    default:
      return undefined;
  }
}
