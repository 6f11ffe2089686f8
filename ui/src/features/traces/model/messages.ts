/** Prompt and answer as senders capture them: `gen_ai.input.messages` and `gen_ai.output.messages`, JSON that may be cut off. */

import { at, isObject, type Json, textAt } from '../../../base/document';

export type PartKind = 'text' | 'reasoning' | 'call' | 'result' | 'other';

export interface Part {
  readonly kind: PartKind;
  readonly text: string;
  /** Name of a tool, or type of a part that is none of the known ones. */
  readonly name: string | undefined;
}

export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly finish: string | undefined;
}

export interface Conversation {
  readonly input: readonly Message[];
  readonly output: readonly Message[];
  /** Texts that are no JSON, as they came. */
  readonly raw: readonly string[];
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function partOf(value: Json): Part {
  if (typeof value === 'string') return { kind: 'text', text: value, name: undefined };
  const type = textAt(value, 'type') ?? 'text';
  const name = textAt(value, 'name');
  switch (type) {
    case 'text':
      return { kind: 'text', text: textOf(at(value, 'content') ?? at(value, 'text')), name: undefined };
    case 'reasoning':
      return { kind: 'reasoning', text: textOf(at(value, 'content')), name: undefined };
    case 'tool_call':
      return { kind: 'call', text: textOf(at(value, 'arguments')), name };
    case 'tool_call_response':
      return { kind: 'result', text: textOf(at(value, 'response') ?? at(value, 'result')), name };
    case 'uri':
      return { kind: 'other', text: textOf(at(value, 'uri')), name: type };
    case 'blob':
      return { kind: 'other', text: textOf(at(value, 'mime_type')), name: type };
    default:
      return { kind: 'other', text: textOf(value), name: type };
  }
}

function messageOf(value: Json): Message {
  const parts = at(value, 'parts');
  const content = at(value, 'content');
  const list: readonly Json[] = Array.isArray(parts)
    ? parts
    : Array.isArray(content)
      ? content
      : content !== undefined && content !== null
        ? [content]
        : [];
  return {
    role: textAt(value, 'role') ?? '',
    parts: list.map(partOf),
    finish: textAt(value, 'finish_reason'),
  };
}

function messagesOf(text: string): readonly Message[] | undefined {
  try {
    const parsed = JSON.parse(text) as Json;
    const list = Array.isArray(parsed) ? parsed : isObject(parsed) ? [parsed] : undefined;
    return list?.map(messageOf);
  } catch {
    // Attribute limits cut JSON in the middle.
    return undefined;
  }
}

/** What a document has of question and answer; undefined if it has neither. */
export function conversationOf(document: unknown): Conversation | undefined {
  const texts = (['input', 'output'] as const).map((side) => textAt(document, `gen_ai.${side}.messages`));
  if (texts.every((text) => text === undefined)) return undefined;
  const [input, output] = texts.map((text) => (text === undefined ? [] : messagesOf(text)));
  return {
    input: input ?? [],
    output: output ?? [],
    raw: texts.filter((text, i): text is string => text !== undefined && [input, output][i] === undefined),
  };
}

/** The text that a reader of the answer saw: of the first choice, without reasoning and calls of tools. */
export function answerText(conversation: Conversation | undefined): string {
  const parts = conversation?.output[0]?.parts ?? [];
  return parts
    .filter((part) => part.kind === 'text')
    .map((part) => part.text)
    .join('');
}
