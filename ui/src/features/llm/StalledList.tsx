/** Answers that stood still, with each gap and what had been said before it. */

import type { Stall, StalledAnswer } from '../../api/types';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { CallLink } from '../../components/calls';

const stallsShown = 3;

export function StalledList({ answers }: { answers: readonly StalledAnswer[] }) {
  return (
    <ul className="stalled">
      {answers.map((answer) => (
        <li key={`${answer.trace_id}/${answer.span_id}`}>
          <div className="stalled-head">
            <CallLink call={answer} />
            <span className="dim small nowrap">
              {format.duration(answer.duration_us)} · {format.dateTime(answer.timestamp_us)}
            </span>
          </div>
          {answer.stalls.slice(0, stallsShown).map((stall) => (
            <StallLine key={stall.offset_us} stall={stall} />
          ))}
          {answer.stalls.length > stallsShown && (
            <span className="dim small">{m.llm.moreStalls(answer.stalls.length - stallsShown)}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function StallLine({ stall }: { stall: Stall }) {
  return (
    <p className="stall">
      {m.llm.stallAt(
        format.duration(stall.offset_us),
        format.duration(stall.gap_us),
        m.llm.nChunks(stall.after_chunks),
      )}{' '}
      {stall.text_before ? (
        <>
          <span className="dim">· {m.llm.textBefore}</span> <q>…{stall.text_before}</q>
        </>
      ) : (
        <span className="dim">· {m.llm.noText}</span>
      )}
    </p>
  );
}
