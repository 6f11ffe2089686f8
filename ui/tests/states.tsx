/** What every list shows in each of its states. Called inside of `describe`. */

import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { chooseLanguage } from '../src/base/i18n';
import { json, open, type Respond } from './open';

export interface Screen {
  address: string;
  /** Something that only the full screen shows, and the title of the empty one. */
  full: string | RegExp;
  empty: string;
  /** Route of its question. */
  question: string;
  german: string | RegExp;
  /** A server with data, and one with none in the range. */
  answers: (mode: 'full' | 'range') => Respond;
}

export function itHasAllStates({ address, full, empty, question, german, answers }: Screen): void {
  const isFull = async () => expect((await screen.findAllByText(full)).length).toBeGreaterThan(0);

  it('shows what there is', async () => {
    open(address, answers('full'));
    await isFull();
    expect(screen.getAllByRole('heading', { level: 1 })).toHaveLength(1);
  });

  it('says that nothing is there', async () => {
    open(address, answers('range'));
    expect(await screen.findByText(empty)).toBeTruthy();
  });

  it('says that a filter hides it, and removes the filter', async () => {
    const history = open(`${address}${address.includes('?') ? '&' : '?'}service=rag`, answers('range'));
    fireEvent.click(await screen.findByRole('button', { name: 'Remove these filters' }));
    await waitFor(() => expect(history.location.search).not.toContain('service'));
  });

  it('shows that it is loading', async () => {
    open(address, () => new Promise(() => undefined));
    expect((await screen.findAllByRole('status', { name: 'Loading' })).length).toBeGreaterThan(0);
  });

  it('says what failed, and tries again', async () => {
    let fail = true;
    open(address, (path, query) =>
      fail && path === question
        ? json({ code: 'search_stopped', message: 'the search took too long', request_id: 'r-42' }, 422)
        : answers('full')(path, query),
    );
    const alert = await screen.findByRole('alert');
    expect(within(alert).getByText('Request r-42')).toBeTruthy();
    fail = false;
    fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }));
    await isFull();
  });

  it('warns when the answer is partial', async () => {
    open(address, async (path, query) => {
      const answer = await answers('full')(path, query);
      return path === question ? json({ ...(await answer.json()), complete: false }) : answer;
    });
    expect((await screen.findAllByText(/Part of the data could not be read/)).length).toBeGreaterThan(0);
  });

  it('speaks German', async () => {
    await chooseLanguage('de');
    open(address, answers('full'));
    expect(await screen.findByRole('heading', { level: 1, name: german })).toBeTruthy();
  });
}
