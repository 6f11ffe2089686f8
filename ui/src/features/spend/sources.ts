/** How tokens were got, as shares of those of which it is known. */

import type { SpendFigures } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';

const kinds = ['reported', 'counted', 'derived', 'estimated'] as const;

export interface SourceShare {
  readonly kind: (typeof kinds)[number];
  readonly share: number;
  readonly tokens: number;
}

export function sharesOf(sources: SpendFigures['sources']): SourceShare[] {
  const known = kinds.reduce((sum, kind) => sum + sources[kind], 0);
  return kinds
    .filter((kind) => sources[kind] > 0)
    .map((kind) => ({ kind, share: sources[kind] / known, tokens: sources[kind] }));
}

/** The same in words: `75 % reported, 25 % ≈ estimated`. */
export function sourcesText(sources: SpendFigures['sources']): string {
  return sharesOf(sources)
    .map(({ kind, share }) => `${format.percent(share)} ${m.llm.sources[kind]}`)
    .join(', ');
}
