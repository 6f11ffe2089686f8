/** What was asked, and what came back. Shown as text, never as HTML: it is whatever the application and the model said. */

import { useState } from 'react';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { CopyButton } from '../../components/copy';
import { conversationOf, type Message, type Part } from './model/messages';

/** Characters of a text that are shown before somebody asks for all of it. */
const shownMax = 64 * 1024;

export function Messages({ document }: { document: unknown }) {
  const conversation = conversationOf(document);
  if (!conversation) {
    return (
      <div className="not-captured">
        <p>
          <b>{m.messages.notCaptured}</b>
        </p>
        <p className="dim">{m.messages.howToCapture}</p>
      </div>
    );
  }
  const { input, output, raw } = conversation;
  return (
    <div className="messages">
      {input.map((message, i) => (
        <MessageView key={`in-${i}`} message={message} />
      ))}
      {output.map((message, i) => (
        <MessageView key={`out-${i}`} message={message} answer choice={output.length > 1 ? i + 1 : undefined} />
      ))}
      {raw.map((text, i) => (
        <section key={`raw-${i}`} className="message-box">
          <h3>{m.messages.unreadable}</h3>
          <LongText text={text} />
        </section>
      ))}
    </div>
  );
}

function MessageView({ message, answer, choice }: { message: Message; answer?: boolean; choice?: number | undefined }) {
  const whole = message.parts.map((part) => part.text).join('\n');
  const role = m.messages.roles[message.role] ?? (message.role || m.common.unknown);
  return (
    <section className={answer ? 'message-box answer' : 'message-box'}>
      <header>
        <h3>{choice ? m.messages.choice(choice) : role}</h3>
        {message.finish && (
          <span className="dim small">
            {m.messages.finished}: {message.finish}
          </span>
        )}
        {whole !== '' && <CopyButton text={whole} iconOnly />}
      </header>
      {message.parts.length === 0 ? (
        <p className="dim">{m.messages.empty}</p>
      ) : (
        message.parts.map((part, i) => <PartView key={i} part={part} />)
      )}
    </section>
  );
}

function PartView({ part }: { part: Part }) {
  const titles = { call: m.messages.toolCall, result: m.messages.toolResult, reasoning: m.messages.reasoning };
  const title = part.kind === 'text' ? undefined : part.kind === 'other' ? part.name : titles[part.kind];
  return (
    <div className={`part ${part.kind}`}>
      {title && (
        <p className="dim small">
          {title} {part.kind !== 'other' && part.name && <span className="mono">{part.name}</span>}
        </p>
      )}
      <LongText text={part.text} />
    </div>
  );
}

function LongText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const cut = !all && text.length > shownMax;
  return (
    <>
      <p className="said" dir="auto">
        {cut ? text.slice(0, shownMax) : text}
      </p>
      {cut && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          {m.messages.showAll(format.count(text.length))}
        </button>
      )}
    </>
  );
}
