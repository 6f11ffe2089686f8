/** Screens about model calls, conversations and correlations, with their parameters from the address. */

import { useParams } from '@tanstack/react-router';
import { CorrelationsPage } from '../features/correlations/CorrelationsPage';
import { StreamingPage } from '../features/llm/StreamingPage';
import { TokensPage } from '../features/llm/TokensPage';
import { SessionPage } from '../features/sessions/SessionPage';
import { SessionsPage } from '../features/sessions/SessionsPage';
import { QuestionsPage } from '../features/spend/QuestionsPage';
import { SpendPage } from '../features/spend/SpendPage';

export function Tokens() {
  return <TokensPage />;
}

export function Streaming() {
  return <StreamingPage />;
}

export function Spend() {
  return <SpendPage />;
}

export function Questions() {
  return <QuestionsPage />;
}

export function Sessions() {
  return <SessionsPage />;
}

export function Session() {
  const { id } = useParams({ strict: false }) as { id?: string };
  return <SessionPage id={id ?? ''} />;
}

export function Correlations() {
  return <CorrelationsPage />;
}
