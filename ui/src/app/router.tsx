/** Which screen an address shows. Only the shell and the services are in the first download. */

import type { QueryClient } from '@tanstack/react-query';
import {
  createBrowserHistory,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';
import { traceQuery } from '../api/queries';
import { m } from '../base/i18n';
import { parseQueryString, parseView, stringifyView } from '../base/view';
import { Empty } from '../components/states';
import { Go } from '../components/view';
import { Home } from './Home';
import { Shell } from './Shell';

function NotFound() {
  return (
    <div className="page">
      <Empty heading="h1" title={m.states.notFound} text={m.states.notFoundText}>
        <Go to="/" className="button">
          {m.states.home}
        </Go>
      </Empty>
    </div>
  );
}

function Broken({ error }: ErrorComponentProps) {
  return (
    <div className="page">
      <Empty heading="h1" title={m.states.crashed} text={error instanceof Error ? error.message : undefined}>
        <button type="button" className="button" onClick={() => location.reload()}>
          {m.states.reload}
        </button>
      </Empty>
    </div>
  );
}

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  validateSearch: (raw: Record<string, unknown>) => parseView(raw),
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: Broken,
});

const route = (path: string, component: ReturnType<typeof lazyRouteComponent> | (() => React.ReactNode)) =>
  createRoute({ getParentRoute: () => root, path, component: component as never, errorComponent: Broken });

const pages = () => import('./pages');
const llm = () => import('./llm');

const routes = [
  route('/', Home),
  // The address that a reader of /services/NAME would try.
  route('/services', Home),
  route('/services/$service', lazyRouteComponent(pages, 'Service')),
  route('/services/$service/transactions', lazyRouteComponent(pages, 'ServiceTransactions')),
  route('/services/$service/transactions/$name', lazyRouteComponent(pages, 'Transaction')),
  route('/services/$service/dependencies', lazyRouteComponent(pages, 'ServiceDependencies')),
  route('/services/$service/errors', lazyRouteComponent(pages, 'ServiceErrors')),
  route('/traces', lazyRouteComponent(pages, 'Traces')),
  createRoute({
    getParentRoute: () => root,
    path: '/traces/$traceId',
    component: lazyRouteComponent(() => import('./trace'), 'Trace'),
    errorComponent: Broken,
    // The trace is on its way while the code that draws it is still being fetched.
    loader: ({ context, params }) => {
      void context.client.prefetchQuery(traceQuery(params.traceId));
    },
  }),
  route('/dependencies', lazyRouteComponent(pages, 'Dependencies')),
  route('/dependencies/$resource', lazyRouteComponent(pages, 'Dependency')),
  route('/errors', lazyRouteComponent(pages, 'Errors')),
  route('/errors/$key', lazyRouteComponent(pages, 'ErrorGroup')),
  route('/llm', lazyRouteComponent(llm, 'Tokens')),
  route('/llm/streaming', lazyRouteComponent(llm, 'Streaming')),
  route('/llm/cost', lazyRouteComponent(llm, 'Spend')),
  route('/llm/questions', lazyRouteComponent(llm, 'Questions')),
  route('/sessions', lazyRouteComponent(llm, 'Sessions')),
  route('/sessions/$id', lazyRouteComponent(llm, 'Session')),
  route('/correlations', lazyRouteComponent(llm, 'Correlations')),
  route(
    '/start',
    lazyRouteComponent(() => import('./start'), 'Start'),
  ),
];

export function makeRouter(client: QueryClient, history: RouterHistory = createBrowserHistory()) {
  return createRouter({
    routeTree: root.addChildren(routes),
    history,
    context: { client },
    parseSearch: parseQueryString,
    stringifySearch: (search) => stringifyView(search),
    defaultPreload: 'intent',
    scrollRestoration: false,
    defaultPendingMs: 200,
  });
}
