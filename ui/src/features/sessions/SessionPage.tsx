/** One conversation: what was asked, how long the person waited, what came back. */

import { ApiError } from '../../api/client';
import { sessionQuery } from '../../api/queries';
import type { SessionDetail as Detail, Turn } from '../../api/types';
import * as format from '../../base/format';
import { texts } from '../../base/i18n/spend';
import { dollars, whole } from '../../base/numbers';
import { Crumbs } from '../../components/crumbs';
import { NothingHere } from '../../components/empty';
import { Figure, OutcomeMark } from '../../components/figures';
import { PageHead, Panel } from '../../components/panel';
import { Loaded, Partial } from '../../components/states';
import { useTitle } from '../../components/title';
import { Go, useData, useScope } from '../../components/view';

export function SessionPage({ id }: { id: string }) {
  const t = texts();
  useTitle(id, t.sessionsTitle);
  const query = useData(sessionQuery(id, useScope()));
  const isAbsent = query.error instanceof ApiError && query.error.status === 404;
  return (
    <div className="page">
      <PageHead title={id} crumbs={<Crumbs trail={[{ to: '/sessions', label: t.sessionsTitle }]} />} />
      {isAbsent ? (
        <NothingHere title={t.noSuchTitle} text={t.noSuchText} />
      ) : (
        <Loaded query={query} rows={8}>
          {(data) => (
            <>
              <Partial complete={data.complete} />
              <Figures session={data.session} />
              <Conversation data={data} />
            </>
          )}
        </Loaded>
      )}
    </div>
  );
}

function Figures({ session: s }: { session: Detail['session'] }) {
  const t = texts();
  return (
    <dl className="figures">
      {s.user && <Figure label={t.user} value={s.user} />}
      <Figure label={t.turns} value={whole(s.turns)} />
      <Figure label={t.failed} value={whole(s.failed)} bad={s.failed > 0} />
      <Figure label={t.waited} value={<span title={t.waitedHelp}>{format.duration(s.waited_us)}</span>} />
      <Figure label={t.latency} value={format.duration(s.latency_avg_us)} />
      <Figure label={t.calls} value={whole(s.calls)} />
      <Figure label={t.tokens} value={format.count(s.total_tokens)} />
      <Figure label={t.cost} value={<span title={s.usd ? `${s.usd} USD` : undefined}>{dollars(s.usd)}</span>} />
      <Figure label={t.services} value={s.services.join(', ')} />
    </dl>
  );
}

function Conversation({ data }: { data: Detail }) {
  const t = texts();
  const omitted = data.session.turns - data.turns.length;
  return (
    <Panel title={t.conversation}>
      <ol className="turns">
        {data.turns.map((turn) => (
          <TurnView key={turn.transaction_id} turn={turn} />
        ))}
      </ol>
      {omitted > 0 && <p className="dim pad panel-text">{t.turnsOmitted(omitted)}</p>}
    </Panel>
  );
}

function TurnView({ turn }: { turn: Turn }) {
  const t = texts();
  const pause = turn.pause_us;
  return (
    <li className={turn.outcome === 'failure' ? 'turn failed' : 'turn'}>
      {pause !== null && pause !== undefined && (
        <p className="turn-pause dim small">{pause < 0 ? t.overlap : t.pause(format.duration(pause))}</p>
      )}
      <p className="turn-question" dir="auto">
        {turn.question ?? <span className="dim">{t.noQuestion}</span>}
      </p>
      <p className="turn-facts small">
        <span title={format.exactDateTime(turn.timestamp_us)}>{format.dateTime(turn.timestamp_us)}</span>
        <b>{format.duration(turn.duration_us)}</b>
        {turn.time_to_first_token_us !== null && turn.time_to_first_token_us !== undefined && (
          <span>{t.firstToken(format.duration(turn.time_to_first_token_us))}</span>
        )}
        <OutcomeMark outcome={turn.outcome} />
        {turn.errors.map((error) => (
          <span key={error} className="error-text">
            {error}
          </span>
        ))}
        {turn.models.length > 0 && <span>{turn.models.join(', ')}</span>}
        {turn.total_tokens !== null && (
          <span>
            {whole(turn.total_tokens)} {t.tokens}
          </span>
        )}
        {turn.usd && <span title={`${turn.usd} USD`}>{dollars(turn.usd)}</span>}
        <Go to="/traces/$traceId" params={{ traceId: turn.trace_id }} search={{ span: turn.transaction_id }}>
          {t.trace}
        </Go>
      </p>
      {turn.answers.length > 0 ? (
        <details>
          <summary>{t.answers(turn.answers.length)}</summary>
          {turn.answers.map((answer, i) => (
            <p key={i} className="turn-answer" dir="auto">
              {answer}
            </p>
          ))}
        </details>
      ) : (
        turn.calls > 0 && <p className="dim small">{t.noAnswers}</p>
      )}
    </li>
  );
}
