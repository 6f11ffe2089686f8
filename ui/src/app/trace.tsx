import { useParams } from '@tanstack/react-router';
import { TracePage } from '../features/traces/TracePage';

export function Trace() {
  const { traceId } = useParams({ strict: false }) as { traceId: string };
  return <TracePage key={traceId} traceId={traceId} />;
}
