/** Spend, questions and sessions: each screen in each of its states. */

import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretState } from '../src/api/client';
import { chooseLanguage } from '../src/base/i18n';
import { cents, dollars } from '../src/base/numbers';
import { answerFor } from './fixtures';
import { asked, json, open, type Respond } from './open';
import { spendAnswer } from './spend-fixtures';
import { itHasAllStates } from './states';

vi.mock('../src/components/plot', () => ({ default: () => null }));

const answers =
  (mode: 'full' | 'range' = 'full', replace: Record<string, unknown> = {}): Respond =>
  (path, query) =>
    json(replace[path] ?? spendAnswer(path, query, mode) ?? answerFor(path, 'full'));

beforeEach(() => chooseLanguage('en'));
afterEach(() => {
  vi.unstubAllGlobals();
  act(() => secretState.set('unneeded'));
});

describe('amounts', () => {
  it.each([
    [cents('0.0111'), '1.11 ¢'],
    [cents('0.00033'), '0.033 ¢'],
    [cents('0.25'), '25.0 ¢'],
    [cents('1.5'), '$1.50'],
    [cents(0), '$0'],
    [cents(null), '—'],
    [dollars('0.5'), '$0.50'],
    [dollars('0.7895'), '$0.7895'],
  ])('%s', (shown, expected) => expect(shown).toBe(expected));
});

describe.each([
  ['cost', '/llm/cost', 'Where the money goes', 'No spend', '/api/v1/llm/spend', 'Ausgaben'],
  ['questions', '/llm/questions', 'How do I mount a frozen node?', 'No questions', '/api/v1/llm/questions', 'Ausgaben'],
  ['sessions', '/sessions', 's-1', 'No sessions', '/api/v1/sessions', 'Sitzungen'],
])('%s', (_, address, full, empty, question, german) => {
  itHasAllStates({ address, full, empty, question, german, answers });
});

describe('spend', () => {
  it('shows the exact amount, the forecast with its range, and how tokens are known', async () => {
    open('/llm/cost', answers());
    expect(await screen.findAllByTitle('24.1524927 USD')).toHaveLength(2);
    expect(screen.getByText('1.11 ¢')).toBeTruthy();
    expect(screen.getByText('$21.17 so far; 4 in 5: $23.04 – $23.74')).toBeTruthy();
    expect(screen.getByText('75 % reported')).toBeTruthy();
    expect(screen.getByText('25 % ≈ estimated')).toBeTruthy();
  });

  it('shows what no row has, so that it is the total', async () => {
    open('/llm/cost', answers());
    const rest = (await screen.findByText('3 further rows')).closest('dl');
    expect(rest?.textContent).toBe('3 further rows$0.10Without one$0.0525Total$24.15');
  });

  it('says what is missing, why, and what to do', async () => {
    open('/llm/cost', answers());
    const table = await screen.findByRole('table', { name: 'Calls without a cost' });
    expect(within(table).getByText('our-own')).toBeTruthy();
    expect(within(table).getByText('the price list has no such model')).toBeTruthy();
    expect(within(table).getByText(/tokenfall prices import/)).toBeTruthy();
  });

  it('is broken down by what is chosen, and rows lead to their traces', async () => {
    const history = open('/llm/cost', answers());
    fireEvent.change(await screen.findByLabelText('By'), { target: { value: 'user' } });
    await waitFor(() => expect(history.location.search).toContain('by=user'));
    const link = await screen.findByRole('link', { name: 'Traces of anna' });
    expect(link.getAttribute('href')).toContain('field=user.id&value=anna');
    expect(screen.getByText('<b>ben</b>')).toBeTruthy();
  });

  it('is broken down by a label that somebody names', async () => {
    const history = open('/llm/cost', answers());
    fireEvent.change(await screen.findByLabelText('By'), { target: { value: 'label' } });
    fireEvent.change(screen.getByLabelText('Name of the label'), { target: { value: 'team' } });
    fireEvent.click(screen.getByRole('button', { name: 'Show' }));
    await waitFor(() => expect(history.location.search).toContain('by=label'));
    await waitFor(() =>
      expect(asked.some((u) => u.pathname === '/api/v1/llm/spend' && u.searchParams.get('by') === 'label:team')).toBe(
        true,
      ),
    );
  });
});

describe('questions', () => {
  it('lists the ways to write one, each with its traces, as text', async () => {
    open('/llm/questions', answers());
    fireEvent.click(await screen.findByText('2 ways to write it'));
    const link = screen.getByRole('link', { name: 'how do i mount a frozen node' });
    expect(decodeURIComponent(link.getAttribute('href') ?? '')).toContain('field=tokenfall.question');
    expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
    expect(document.querySelector('main img')).toBeNull();
    expect(screen.getByText(/12 rarer questions are left out/)).toBeTruthy();
  });

  it('filters by any of them', async () => {
    open('/llm/questions?q=MOUNT', answers());
    await screen.findAllByText('How do I mount a frozen node?');
    expect(screen.queryByText('<img src=x onerror=alert(1)>')).toBeNull();
  });
});

describe('sessions', () => {
  it('shows the turns of one, what was waited, and what was not recorded', async () => {
    open('/sessions/s-1', answers());
    expect(await screen.findByText('What is a shard?')).toBeTruthy();
    expect(screen.getByText('first token after 700 ms')).toBeTruthy();
    expect(screen.getByText('51 s later')).toBeTruthy();
    expect(screen.getByText('RateLimitError')).toBeTruthy();
    expect(screen.getByText('What was asked was not recorded.')).toBeTruthy();
    expect(screen.getByText(/<script>alert\(1\)<\/script> a part/)).toBeTruthy();
    expect(document.querySelector('main script')).toBeNull();
    const trace = screen.getAllByRole('link', { name: 'Trace' })[0];
    expect(trace?.getAttribute('href')).toContain('/traces/0123456789abcdef0123456789abcdef');
  });

  it('says that there is none with that id in the range', async () => {
    open('/sessions/s-2', (path, query) =>
      path === '/api/v1/sessions/s-2' ? json({ code: 'not_found', message: 'no' }, 404) : answers()(path, query),
    );
    expect(await screen.findByText('This session is not in the time range')).toBeTruthy();
  });
});

describe('traces behind a figure', () => {
  it('asks for them, says so, and removes the filter', async () => {
    const history = open('/traces?field=user.id&value=anna', answers());
    fireEvent.click(await screen.findByRole('button', { name: /user\.id: anna/ }));
    const url = asked.find((u) => u.pathname === '/api/v1/traces');
    expect(Object.fromEntries(url?.searchParams ?? [])).toMatchObject({ field: 'user.id', value: 'anna' });
    await waitFor(() => expect(history.location.search).not.toContain('field'));
  });
});
