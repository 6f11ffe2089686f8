/** The only place that talks to the server. */

import createClient from 'openapi-fetch';
import { createStore } from '../base/store';
import type { paths } from './schema';
import type { Problem } from './types';

const secretKey = 'tokenfall.secret';

/** What is known about the secret: not asked for, asked for, or asked for again because the last one was wrong. */
export const secretState = createStore<'unneeded' | 'needed' | 'wrong'>('unneeded');

function readSecret(): string | null {
  try {
    return sessionStorage.getItem(secretKey);
  } catch {
    return null;
  }
}

let secret = readSecret();

/** Takes the secret for this tab; the caller asks its questions again. */
export function giveSecret(value: string): void {
  secret = value;
  try {
    sessionStorage.setItem(secretKey, value);
  } catch {
    // Without storage the secret lasts until the page is reloaded.
  }
  secretState.set('unneeded');
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;

  constructor(status: number, problem: Partial<Problem> | null) {
    super(problem?.message ?? '');
    this.name = 'ApiError';
    this.status = status;
    this.code = problem?.code ?? (status === 0 ? 'offline' : 'internal');
    this.requestId = problem?.request_id ?? null;
  }

  /** True if the same question may be answered later. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? '',
  // Looked up at each call, so that tests can put their own in place.
  fetch: (request) => globalThis.fetch(request),
});

client.use({
  onRequest({ request }) {
    if (secret !== null) request.headers.set('Authorization', `Bearer ${secret}`);
    return request;
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer, or an `ApiError`. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<T> {
  let result: Answer<T>;
  try {
    result = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, null);
  }
  if (result.response.ok && result.data !== undefined) return result.data;
  if (result.response.status === 401) secretState.set(secret === null ? 'needed' : 'wrong');
  const body = result.error;
  throw new ApiError(result.response.status, typeof body === 'object' ? (body as Partial<Problem> | null) : null);
}
