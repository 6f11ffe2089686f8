/** What a model call used and cost, and where the figures are from. */

import { numberAt, textAt } from '../../base/document';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { dollars, whole } from '../../base/numbers';
import { Fact } from '../../components/fact';
import type { Trace } from './model/trace';

const sources = ['reported', 'counted', 'derived', 'estimated'] as const;

export function CallFacts({ trace, item, document }: { trace: Trace; item: number; document: unknown }) {
  const first = trace.firstChunk[item] ?? -1;
  const model = ['tokenfall.model', 'gen_ai.response.model', 'gen_ai.request.model']
    .map((path) => textAt(document, path))
    .find((name) => name !== undefined);
  const tokensIn = numberAt(document, 'gen_ai.usage.input_tokens');
  const tokensOut = numberAt(document, 'gen_ai.usage.output_tokens');
  const cached = numberAt(document, 'gen_ai.usage.cache_read.input_tokens');
  const reasoning = numberAt(document, 'gen_ai.usage.reasoning.output_tokens');
  const source = sources.find((s) => s === textAt(document, 'tokenfall.usage.source'));
  const perToken = numberAt(document, 'tokenfall.stream.time_per_output_token.us');
  const stalls = numberAt(document, 'tokenfall.stream.stalls.count');
  const stalled = numberAt(document, 'tokenfall.stream.stalls.sum.us');
  return (
    <>
      <Fact name={m.detail.provider}>{textAt(document, 'gen_ai.provider.name') ?? m.common.unknown}</Fact>
      <Fact name={m.detail.model}>{model ?? m.common.unknown}</Fact>
      <Fact name={m.detail.firstToken}>{first >= 0 ? format.duration(first) : m.common.unknown}</Fact>
      <Fact name={m.detail.tokensIn}>
        {tokensIn === undefined ? m.common.unknown : whole(tokensIn)}
        {cached ? <span className="dim"> {m.detail.cached(whole(cached))}</span> : null}
      </Fact>
      <Fact name={m.detail.tokensOut}>
        {tokensOut === undefined ? m.common.unknown : whole(tokensOut)}
        {reasoning ? <span className="dim"> {m.detail.reasoning(whole(reasoning))}</span> : null}
      </Fact>
      {source && <Fact name={m.detail.tokenSource}>{m.detail.tokenSources[source]}</Fact>}
      {perToken !== undefined && (
        <Fact name={m.detail.perToken}>
          {format.duration(perToken)} <span className="dim">{m.detail.per100(format.duration(perToken * 100))}</span>
        </Fact>
      )}
      {stalls !== undefined && stalls > 0 && (
        <Fact name={m.detail.stalls}>
          {whole(stalls)} <span className="dim">{format.duration(stalled)}</span>
        </Fact>
      )}
      <Cost document={document} />
    </>
  );
}

function Cost({ document }: { document: unknown }) {
  const usd = textAt(document, 'tokenfall.cost.usd');
  const computed = textAt(document, 'tokenfall.cost.computed_usd');
  const price = textAt(document, 'tokenfall.cost.price.id');
  const since = textAt(document, 'tokenfall.cost.price.valid_from');
  const reported = textAt(document, 'tokenfall.cost.source') === 'reported';
  if (usd === undefined) return <Fact name={m.detail.cost}>{m.common.unknown}</Fact>;
  return (
    <>
      <Fact name={m.detail.cost}>
        <b title={`${usd} USD`}>{dollars(usd)}</b>{' '}
        <span className="dim">{reported ? m.detail.costReported : m.detail.costComputed}</span>
      </Fact>
      {computed !== undefined && (
        <Fact name={m.detail.costBeside}>
          <span title={`${computed} USD`}>{dollars(computed)}</span>
        </Fact>
      )}
      {price && (
        <Fact name={m.detail.price}>
          {price} <span className="dim">{since ? m.detail.priceSince(since) : m.detail.priceAlways}</span>{' '}
          <span className="dim">{textAt(document, 'tokenfall.cost.price.list')}</span>
        </Fact>
      )}
    </>
  );
}
