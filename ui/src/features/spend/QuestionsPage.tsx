/** What do people ask? */

import { useMemo } from 'react';
import { questionsQuery } from '../../api/queries';
import type { Question } from '../../api/types';
import * as format from '../../base/format';
import { texts } from '../../base/i18n/spend';
import { cents, dollars, whole } from '../../base/numbers';
import { selectionOf } from '../../base/view';
import { FailedRate } from '../../components/figures';
import { NothingMatches } from '../../components/nothingmatches';
import { FilteredAway, Loaded, Partial } from '../../components/states';
import { type Column, DataTable, FilterBox, filterRows } from '../../components/table';
import { useTitle } from '../../components/title';
import { Go, useData, useView } from '../../components/view';
import { SpendFrame } from './SpendFrame';

/** As many as a person reads. */
const size = 500;

export function QuestionsPage() {
  const t = texts();
  useTitle(t.questionsTab, t.title);
  const view = useView();
  const query = useData(questionsQuery({ ...selectionOf(view), size }));
  const columns = useColumns();
  return (
    <SpendFrame tab="questions" lead={t.questionsLead} actions={<FilterBox label={t.filterQuestions} />}>
      <Loaded query={query} rows={10}>
        {(data) => {
          const rows = filterRows(data.questions, view.q, (question) => question.variants);
          if (data.questions.length === 0)
            return <NothingMatches title={t.noQuestionsTitle} text={t.noQuestionsText} />;
          return (
            <>
              <Partial complete={data.complete} />
              <p className="dim small">
                {t.asked(data.asked)} {data.questions_omitted > 0 && t.questionsOmitted(data.questions_omitted)}
              </p>
              {rows.length === 0 ? (
                <FilteredAway filter={view.q ?? ''} />
              ) : (
                <DataTable
                  label={t.questionsTab}
                  rows={rows}
                  columns={columns}
                  rowKey={(question) => question.question}
                  sort="-count"
                />
              )}
            </>
          );
        }}
      </Loaded>
    </SpendFrame>
  );
}

const searchOf = (question: string) => ({ field: 'tokenfall.question', value: question });

function Asked({ question: { question, variants } }: { question: Question }) {
  const t = texts();
  return (
    <div className="question">
      <Go to="/traces" search={searchOf(question)} className="row-link">
        <span dir="auto">{question}</span>
      </Go>
      {variants.length > 1 && (
        <details>
          <summary className="dim small">{t.variants(variants.length)}</summary>
          <ul>
            {variants.map((variant) => (
              <li key={variant}>
                <Go to="/traces" search={searchOf(variant)}>
                  <span dir="auto">{variant}</span>
                </Go>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function useColumns(): Column<Question>[] {
  const t = texts();
  return useMemo<Column<Question>[]>(
    () => [
      {
        key: 'question',
        title: t.question,
        width: '36%',
        value: (q) => q.question,
        cell: (q) => <Asked question={q} />,
      },
      { key: 'count', title: t.count, numeric: true, value: (q) => q.count, cell: (q) => whole(q.count) },
      {
        key: 'users',
        title: t.users,
        numeric: true,
        optional: true,
        value: (q) => q.users,
        cell: (q) => whole(q.users),
      },
      {
        key: 'cost',
        title: t.cost,
        numeric: true,
        value: (q) => (q.usd === null || q.usd === undefined ? null : Number(q.usd)),
        cell: (q) => <span title={q.usd ? `${q.usd} USD` : undefined}>{dollars(q.usd)}</span>,
      },
      {
        key: 'each',
        title: t.each,
        numeric: true,
        optional: true,
        value: (q) =>
          q.usd_per_question === null || q.usd_per_question === undefined ? null : Number(q.usd_per_question),
        cell: (q) => cents(q.usd_per_question),
      },
      {
        key: 'latency',
        title: t.latency,
        numeric: true,
        value: (q) => q.latency_avg_us,
        cell: (q) => format.duration(q.latency_avg_us),
      },
      {
        key: 'p95',
        title: t.p95,
        numeric: true,
        optional: true,
        value: (q) => q.latency_p95_us,
        cell: (q) => format.duration(q.latency_p95_us),
      },
      {
        key: 'failed',
        title: t.failed,
        numeric: true,
        value: (q) => q.failure_rate,
        cell: (q) => <FailedRate rate={q.failure_rate} />,
      },
      {
        key: 'last',
        title: t.last,
        numeric: true,
        optional: true,
        value: (q) => q.last_us,
        cell: (q) => <span title={format.exactDateTime(q.last_us)}>{format.dateTime(q.last_us)}</span>,
      },
    ],
    [t],
  );
}
