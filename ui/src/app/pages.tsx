/** Screens with their parameters from the address. Features do not know each other; they are put together here. */

import { useParams } from '@tanstack/react-router';
import { useScope, useView } from '../components/view';
import { DependenciesPage, DependencyTable } from '../features/dependencies/DependenciesPage';
import { DependencyPage } from '../features/dependencies/DependencyPage';
import { ErrorPage } from '../features/errors/ErrorPage';
import { ErrorsPage, ErrorTable } from '../features/errors/ErrorsPage';
import { ServiceFrame, ServiceOverview } from '../features/services/ServicePage';
import { TracesPage } from '../features/traces/TracesPage';
import { TraceView } from '../features/traces/TraceView';
import { TransactionPage } from '../features/transactions/TransactionPage';
import { TransactionTable } from '../features/transactions/TransactionTable';

function useParam(name: string): string {
  const params = useParams({ strict: false }) as Record<string, string | undefined>;
  return params[name] ?? '';
}

export function Service() {
  const service = useParam('service');
  const { type } = useView();
  return (
    <ServiceFrame service={service} tab="overview">
      <ServiceOverview
        service={service}
        transactions={<TransactionTable service={service} limit={5} {...(type ? { type } : {})} />}
        dependencies={<DependencyTable service={service} limit={5} />}
        errors={<ErrorTable service={service} limit={5} />}
      />
    </ServiceFrame>
  );
}

export function ServiceTransactions() {
  const service = useParam('service');
  const { type } = useView();
  return (
    <ServiceFrame service={service} tab="transactions">
      <TransactionTable service={service} {...(type ? { type } : {})} />
    </ServiceFrame>
  );
}

export function ServiceDependencies() {
  const service = useParam('service');
  return (
    <ServiceFrame service={service} tab="dependencies">
      <DependencyTable service={service} />
    </ServiceFrame>
  );
}

export function ServiceErrors() {
  const service = useParam('service');
  return (
    <ServiceFrame service={service} tab="errors">
      <ErrorTable service={service} />
    </ServiceFrame>
  );
}

export function Transaction() {
  const service = useParam('service');
  const name = useParam('name');
  return (
    <TransactionPage
      key={`${service}\n${name}`}
      service={service}
      name={name}
      renderTrace={(traceId) => <TraceView traceId={traceId} rowsMax={560} />}
    />
  );
}

export function Traces() {
  return <TracesPage />;
}

export function Dependencies() {
  return <DependenciesPage />;
}

export function Dependency() {
  return <DependencyPage resource={useParam('resource')} />;
}

export function Errors() {
  return <ErrorsPage />;
}

export function ErrorGroup() {
  const { from, to, env } = useScope();
  const key = useParam('key');
  return <ErrorPage key={`${key}/${from}/${to}/${env ?? ''}`} groupingKey={key} />;
}
