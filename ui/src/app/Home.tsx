import { lazy, Suspense } from 'react';
import { servicesQuery } from '../api/queries';
import { Skeleton } from '../components/states';
import { useData, useScope } from '../components/view';
import { ServicesPage } from '../features/services/ServicesPage';

const Start = lazy(() => import('./start').then((module) => ({ default: module.Start })));

/** The services, or how to get started while nothing was ever stored. */
export function Home() {
  const query = useData(servicesQuery(useScope()));
  if (query.data && query.data.newest_event_us === null && query.data.services.length === 0) {
    return (
      <Suspense fallback={<Skeleton />}>
        <Start />
      </Suspense>
    );
  }
  return <ServicesPage query={query} />;
}
