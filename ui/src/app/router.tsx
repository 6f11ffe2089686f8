/** Which screen an address shows. Only the shell and the services are in the first download. */

import {
  createBrowserHistory,
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';
import { m } from '../base/i18n';
import { parseQueryString, parseView, stringifyView } from '../base/view';
import { Empty } from '../components/states';
import { Go } from '../components/view';
import { Home } from './Home';
import { Shell } from './Shell';

function NotFound() {
  return (
    <div className="page">
      <Empty title={m.states.notFound} text={m.states.notFoundText}>
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
      <Empty title={m.states.crashed} text={error instanceof Error ? error.message : undefined}>
        <button type="button" className="button" onClick={() => location.reload()}>
          {m.states.reload}
        </button>
      </Empty>
    </div>
  );
}

const root = createRootRoute({
  validateSearch: (raw: Record<string, unknown>) => parseView(raw),
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: Broken,
});

const route = (path: string, component: ReturnType<typeof lazyRouteComponent> | (() => React.ReactNode)) =>
  createRoute({ getParentRoute: () => root, path, component: component as never, errorComponent: Broken });

const pages = () => import('./pages');

const routes = [
  route('/', Home),
  route('/services/$service', lazyRouteComponent(pages, 'Service')),
  route('/services/$service/transactions', lazyRouteComponent(pages, 'ServiceTransactions')),
  route('/services/$service/transactions/$name', lazyRouteComponent(pages, 'Transaction')),
  route('/services/$service/dependencies', lazyRouteComponent(pages, 'ServiceDependencies')),
  route('/services/$service/errors', lazyRouteComponent(pages, 'ServiceErrors')),
  route('/traces', lazyRouteComponent(pages, 'Traces')),
  route(
    '/traces/$traceId',
    lazyRouteComponent(() => import('./trace'), 'Trace'),
  ),
  route('/dependencies', lazyRouteComponent(pages, 'Dependencies')),
  route('/dependencies/$resource', lazyRouteComponent(pages, 'Dependency')),
  route('/errors', lazyRouteComponent(pages, 'Errors')),
  route('/errors/$key', lazyRouteComponent(pages, 'ErrorGroup')),
  route(
    '/start',
    lazyRouteComponent(() => import('./start'), 'Start'),
  ),
];

export function makeRouter(history: RouterHistory = createBrowserHistory()) {
  return createRouter({
    routeTree: root.addChildren(routes),
    history,
    parseSearch: parseQueryString,
    stringifySearch: (search) => stringifyView(search),
    defaultPreload: 'intent',
    scrollRestoration: false,
    defaultPendingMs: 200,
  });
}
