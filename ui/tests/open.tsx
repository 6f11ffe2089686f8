/** Opens the whole application at an address, with a server made of answers. */

import { QueryClient } from '@tanstack/react-query';
import { createMemoryHistory } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import { vi } from 'vitest';
import { App } from '../src/app/App';
import { makeRouter } from '../src/app/router';

export type Respond = (path: string, query: URLSearchParams) => Response | Promise<Response>;

export const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

/** What was asked for since the application was opened. */
export let asked: URL[] = [];

export function open(address: string, respond: Respond) {
  asked = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    asked.push(url);
    return respond(decodeURIComponent(url.pathname), url.searchParams);
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const history = createMemoryHistory({ initialEntries: [address] });
  render(<App client={client} router={makeRouter(client, history)} />);
  return history;
}
