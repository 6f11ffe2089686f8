/** What does it cost? */

import { spendQuery } from '../../api/queries';
import type { SpendAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { texts } from '../../base/i18n/spend';
import { cents, dollars, whole } from '../../base/numbers';
import { selectionOf } from '../../base/view';
import { Figure } from '../../components/figures';
import { NothingMatches } from '../../components/nothingmatches';
import { Loaded, Partial } from '../../components/states';
import { TimeChart } from '../../components/timechart';
import { useTitle } from '../../components/title';
import { useData, useView } from '../../components/view';
import { Breakdown } from './Breakdown';
import { SpendFrame } from './SpendFrame';
import { sharesOf } from './sources';
import { Unpriced } from './Unpriced';

export function SpendPage() {
  const t = texts();
  useTitle(t.costTab, t.title);
  const view = useView();
  const query = useData(spendQuery({ ...selectionOf(view), ...(view.by ? { by: view.by } : {}) }));
  return (
    <SpendFrame tab="cost" lead={t.lead}>
      <Loaded query={query} rows={12}>
        {(data) => (
          <>
            <Partial complete={data.complete} />
            {isNothing(data) ? <NothingMatches title={t.noneTitle} text={t.noneText} /> : <Found data={data} />}
          </>
        )}
      </Loaded>
    </SpendFrame>
  );
}

function isNothing({ total }: SpendAnswer): boolean {
  return Number(total.usd) === 0 && total.calls === 0 && !total.total_tokens;
}

function Found({ data }: { data: SpendAnswer }) {
  const t = texts();
  return (
    <>
      <Figures data={data} />
      <TimeChart
        title={t.overTime}
        axis={{ ...data.series, buckets: data.series.usd.length }}
        series={[{ label: t.spent, values: data.series.usd.map(Number), color: 'accent', bars: true }]}
        format={dollars}
      />
      <Breakdown data={data} />
      {data.unpriced.length > 0 && <Unpriced models={data.unpriced} />}
    </>
  );
}

function Figures({ data }: { data: SpendAnswer }) {
  const t = texts();
  const { total, forecast } = data;
  return (
    <dl className="figures">
      <Figure label={t.total} value={<span title={`${total.usd} USD`}>{dollars(total.usd)}</span>} />
      {total.transactions !== null && (
        <Figure
          label={t.perTransaction}
          value={<span title={t.perTransactionHelp}>{cents(total.usd_per_transaction)}</span>}
          detail={`${format.count(total.transactions)} ${t.transactions}`}
        />
      )}
      <Figure
        label={t.perCall}
        value={<span title={t.perCallHelp}>{cents(total.usd_per_call)}</span>}
        detail={`${format.count(total.calls)} ${t.calls}`}
      />
      {forecast ? (
        <Figure
          label={t.forecast(forecast.month)}
          value={<span title={t.forecastHelp(forecast.days)}>{dollars(forecast.expected_usd)}</span>}
          detail={t.forecastDetail(dollars(forecast.spent_usd), dollars(forecast.low_usd), dollars(forecast.high_usd))}
        />
      ) : (
        <Figure label={t.forecast('')} value={format.missing} detail={t.noForecast} />
      )}
      {total.failed_transactions_usd !== null && (
        <Figure label={t.failedTransactions} value={dollars(total.failed_transactions_usd)} />
      )}
      <Figure label={t.failedCalls} value={<span title={t.failedCallsHelp}>{dollars(total.failed_calls_usd)}</span>} />
      <Figure
        label={t.tokens}
        value={<span title={whole(total.total_tokens)}>{format.count(total.total_tokens)}</span>}
        detail={<Sources data={data} />}
      />
    </dl>
  );
}

/** How the tokens were got, as shares. */
function Sources({ data }: { data: SpendAnswer }) {
  return (
    <span className="sources">
      {sharesOf(data.total.sources).map(({ kind, share, tokens }) => (
        <span key={kind} title={`${m.llm.sourcesHelp[kind]}: ${whole(tokens)}`}>
          {format.percent(share)} {m.llm.sources[kind]}
        </span>
      ))}
    </span>
  );
}
