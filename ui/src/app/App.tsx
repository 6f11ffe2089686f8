import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState, useSyncExternalStore } from 'react';
import { ApiError } from '../api/client';
import { languageStore } from './language';
import { makeRouter } from './router';

const retriesMax = 2;

function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) =>
          failures < retriesMax && error instanceof ApiError && error.status !== 0 && error.retryable,
        retryDelay: (attempt) => 400 * 2 ** attempt,
      },
    },
  });
}

export function App({
  router: given,
  client: givenClient,
}: {
  router?: ReturnType<typeof makeRouter>;
  client?: QueryClient;
}) {
  const [client] = useState(() => givenClient ?? makeClient());
  const [router] = useState(() => given ?? makeRouter(client));
  const language = useSyncExternalStore(languageStore.subscribe, languageStore.get);
  return (
    <QueryClientProvider client={client}>
      <RouterProvider key={language} router={router} />
    </QueryClientProvider>
  );
}
