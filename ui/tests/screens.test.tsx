/** Each screen in each of its states, with the API's answers in place of the server. */

import { QueryClient } from '@tanstack/react-query';
import { createMemoryHistory } from '@tanstack/react-router';
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretState } from '../src/api/client';
import { App } from '../src/app/App';
import { makeRouter } from '../src/app/router';
import { chooseLanguage } from '../src/base/i18n';
import { answerFor } from './fixtures';

vi.mock('../src/components/plot', () => ({ default: () => null }));

type Respond = (path: string, request: Request) => Response | Promise<Response>;

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
const answers =
  (mode: 'full' | 'range' | 'never'): Respond =>
  (path) => {
    const body = answerFor(path, mode);
    return body === undefined
      ? json({ code: 'not_found', message: 'there is no such trace', request_id: 'r-1' }, 404)
      : json(body);
  };
const broken: Respond = () =>
  json({ code: 'search_stopped', message: 'the search took too long', request_id: 'r-42' }, 422);

let asked: URL[] = [];

function open(address: string, respond: Respond) {
  asked = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    asked.push(url);
    return respond(decodeURIComponent(url.pathname), request);
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const history = createMemoryHistory({ initialEntries: [address] });
  render(<App client={client} router={makeRouter(client, history)} />);
  return history;
}

beforeEach(() => chooseLanguage('en'));
afterEach(() => {
  vi.unstubAllGlobals();
  sessionStorage.clear();
  act(() => secretState.set('unneeded'));
});

const traceId = 'd3e3d522650a827cde9f104da7e912c9';
const screens: [name: string, address: string, full: string | RegExp, emptyTitle: string][] = [
  ['services', '/', 'elasticdocs-gpt-v2-streaming', 'Nothing in this time range'],
  ['service', '/services/rag', 'Where does the time go?', 'Nothing in this time range'],
  ['transactions', '/services/rag/transactions', 'GET /health', 'Nothing in this time range'],
  [
    'transaction',
    '/services/rag/transactions/GET%20%2Fsearch',
    'How long do they take?',
    'This transaction did not run in this time range.',
  ],
  ['service dependencies', '/services/rag/dependencies', 'openai', 'Nothing in this time range'],
  ['service errors', '/services/rag/errors', 'RateLimitError', 'No errors'],
  ['traces', '/traces', 'user-query', 'Nothing in this time range'],
  ['trace', `/traces/${traceId}`, '20 spans', 'There is no such trace'],
  ['dependencies', '/dependencies', 'openai', 'Nothing in this time range'],
  ['dependency', '/dependencies/openai', 'openaiChatCompletion', 'Nothing called this dependency in this time range.'],
  ['errors', '/errors', 'RateLimitError', 'No errors'],
  ['error', '/errors/abc', 'Affected transactions', 'This error did not occur in this time range.'],
];

describe.each(screens)('%s', (_, address, full, emptyTitle) => {
  it('shows what there is', async () => {
    open(address, answers('full'));
    expect((await screen.findAllByText(full)).length).toBeGreaterThan(0);
    expect(screen.getAllByRole('heading', { level: 1 })).toHaveLength(1);
  });

  it('says that nothing is in this time range', async () => {
    open(address, answers('range'));
    expect(await screen.findByText(emptyTitle)).toBeTruthy();
  });

  it('shows that it is loading', async () => {
    open(address, () => new Promise(() => undefined));
    expect((await screen.findAllByRole('status', { name: 'Loading' })).length).toBeGreaterThan(0);
  });

  it('says what failed, with the request id, and tries again', async () => {
    let fail = true;
    open(address, (path, request) => (fail ? broken(path, request) : answers('full')(path, request)));
    const alert = (await screen.findAllByRole('alert'))[0]!;
    expect(within(alert).getByText('the search took too long')).toBeTruthy();
    expect(within(alert).getByText('Request r-42')).toBeTruthy();
    fail = false;
    for (const button of screen.getAllByRole('button', { name: 'Try again' })) fireEvent.click(button);
    expect((await screen.findAllByText(full)).length).toBeGreaterThan(0);
  });
});

describe('states that screens share', () => {
  it('sends newcomers to Get started', async () => {
    open('/', answers('never'));
    expect(await screen.findByRole('heading', { level: 1, name: 'Get started' })).toBeTruthy();
    expect(screen.getByText('waiting for the first event…')).toBeTruthy();
  });

  it('says on other screens that there is no data at all', async () => {
    open('/errors', answers('never'));
    expect(await screen.findByText('No data yet')).toBeTruthy();
  });

  it('widens the range to when data was last seen', async () => {
    const history = open('/traces', answers('range'));
    fireEvent.click(await screen.findByRole('button', { name: /Go to when data was last seen/ }));
    await waitFor(() => expect(history.location.search).toMatch(/from=2026-11-22T/));
  });

  it('filters rows by the text in the URL, and removes the filter', async () => {
    const history = open('/?q=nothing', answers('full'));
    fireEvent.click(await screen.findByRole('button', { name: 'Remove the filter' }));
    expect(await screen.findByText('web')).toBeTruthy();
    expect(history.location.search).toBe('');
  });

  it('warns when the answer is partial', async () => {
    open('/', (path) =>
      json(path === '/api/v1/services' ? { ...(answerFor(path) as object), complete: false } : answerFor(path)),
    );
    expect(await screen.findByText(/Part of the data could not be read/)).toBeTruthy();
  });

  it('asks for the secret, keeps the address and sends what was given', async () => {
    const history = open('/errors?env=production', (path, request) =>
      request.headers.get('authorization') === 'Bearer s3cret'
        ? json(answerFor(path))
        : json({ code: 'unauthorized', message: 'no', request_id: 'r' }, 401),
    );
    const field = await screen.findByLabelText('Secret token');
    fireEvent.change(field, { target: { value: 's3cret' } });
    fireEvent.click(screen.getByRole('button', { name: 'Continue' }));
    expect((await screen.findAllByText('RateLimitError')).length).toBeGreaterThan(0);
    expect(history.location.href).toBe('/errors?env=production');
    expect(sessionStorage.getItem('tokenfall.secret')).toBe('s3cret');
  });

  it('tells after a minute of silence what the server has seen', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      open('/start', answers('never'));
      await screen.findByText('waiting for the first event…');
      expect(screen.queryByText(/missing or wrong secret/)).toBeNull();
      await act(() => vi.advanceTimersByTimeAsync(61_000));
      expect(await screen.findByText('3 requests came with a missing or wrong secret.')).toBeTruthy();
    } finally {
      vi.useRealTimers();
    }
  });

  it('says that there is no such page', async () => {
    open('/nowhere', answers('full'));
    expect(await screen.findByText('There is no such page')).toBeTruthy();
  });

  it('asks with the range and environment of the URL', async () => {
    open('/traces?from=now-7d&env=production', answers('full'));
    await screen.findAllByText('user-query');
    const url = asked.find((u) => u.pathname === '/api/v1/traces');
    expect(url?.searchParams.get('from')).toBe('now-7d');
    expect(url?.searchParams.get('env')).toBe('production');
  });

  it('passes names with slashes through the address', async () => {
    open('/services/a%2Fb/transactions/GET%20%2Fsearch%3Fq', answers('full'));
    await screen.findByText('How long do they take?');
    const url = asked.find((u) => u.pathname.endsWith('/transaction'));
    expect(url?.pathname).toBe('/api/v1/services/a%2Fb/transaction');
    expect(url?.searchParams.get('name')).toBe('GET /search?q');
  });

  it('selects durations by number fields', async () => {
    const history = open('/services/rag/transactions/x', answers('full'));
    fireEvent.change(await screen.findByLabelText('From (ms)'), { target: { value: '1500' } });
    fireEvent.change(screen.getByLabelText('To (ms)'), { target: { value: '2500.5' } });
    fireEvent.submit(screen.getByRole('form', { name: 'Selected durations' }));
    await waitFor(() => expect(history.location.search).toContain('min=1500000&max=2500500'));
    expect(await screen.findByText(/61 of .* selected/)).toBeTruthy();
  });

  it('shows text of strangers as text', async () => {
    open('/errors/abc', answers('full'));
    expect(await screen.findByText('<script>alert(1)</script>')).toBeTruthy();
    expect(document.querySelector('main script')).toBeNull();
  });

  it('opens the shortcut help with ?', async () => {
    open('/', answers('full'));
    await screen.findByText('web');
    fireEvent.keyDown(document.body, { key: '?' });
    expect(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })).toBeTruthy();
  });
});

describe('the trace', () => {
  it('shows the details of the span in the URL, and closes them', async () => {
    const history = open(`/traces/${traceId}?span=0000000000000003`, answers('full'));
    const dock = await screen.findByRole('complementary', { name: 'Details of the selected span' });
    expect(await within(dock).findByText('gpt-35-turbo')).toBeTruthy();
    fireEvent.click(within(dock).getByRole('button', { name: 'Close' }));
    await waitFor(() => expect(history.location.search).toBe(''));
  });

  it('offers every row to screen readers, and walks with the arrows', async () => {
    open(`/traces/${traceId}`, answers('full'));
    const tree = await screen.findByRole('tree');
    const rows = () => within(tree).getAllByRole('treeitem');
    expect(rows()).toHaveLength(15);
    expect(within(tree).getAllByRole('treeitem', { name: /^62 × token, / })).toHaveLength(2);
    rows()[0]!.focus();
    fireEvent.keyDown(rows()[0]!, { key: 'ArrowDown' });
    await waitFor(() => expect(document.activeElement?.getAttribute('aria-label')).toMatch(/^POST/));
    fireEvent.keyDown(rows()[1]!, { key: 'Home' });
    fireEvent.keyDown(rows()[0]!, { key: 'ArrowLeft' });
    await waitFor(() => expect(rows()).toHaveLength(1));
    expect(rows()[0]!.getAttribute('aria-expanded')).toBe('false');
  });
});
