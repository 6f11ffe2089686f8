import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerText, conversationOf } from '../src/features/traces/model/messages';
import { arrivalTimes, chunksBy, evenTimes, makePlayback, rateBy, textBy } from '../src/features/traces/model/playback';

describe('playback of an answer', () => {
  const times = Float64Array.from([400_000, 440_000, 480_000, 1_480_000, 1_520_000]);
  const playback = makePlayback(times, 'one two three four five', 1_600_000, true);

  it('shows the text as far as its chunks had come', () => {
    expect(textBy(playback, 0)).toBe('');
    expect(textBy(playback, 399_999)).toBe('');
    const texts = [...times].map((us) => textBy(playback, us));
    for (const [i, text] of texts.entries()) expect(text.length).toBeGreaterThan(texts[i - 1]?.length ?? 0);
    expect(texts.at(-1)).toBe('one two three four five');
    expect(textBy(playback, 1_000_000)).toBe(texts[2]);
  });

  it('finds the stall and nothing else', () => {
    expect(playback.stalls).toEqual([{ after: 2, fromUs: 480_000, gapUs: 1_000_000 }]);
    expect(makePlayback(evenTimes(10, 0, 9e6), '', 9e6, false).stalls).toEqual([]);
    // Slow all along is not a stall.
    expect(makePlayback(evenTimes(10, 0, 9e6), '', 9e6, true).stalls).toEqual([]);
  });

  it('knows the rate of the last second', () => {
    // A chunk every 40 ms.
    expect(Math.round(rateBy(playback, 480_000))).toBe(25);
    expect(rateBy(playback, 100)).toBe(0);
  });

  it('puts chunks between ticks of a long answer', () => {
    expect([...arrivalTimes([0, 40, 80], 4, 11)]).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80]);
    expect([...arrivalTimes([5, 6], 1, 2)]).toEqual([5, 6]);
    expect([...arrivalTimes([], 1, 0)]).toEqual([]);
  });

  it('never goes back, loses or splits text, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e7 }), { minLength: 1, maxLength: 60 }),
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        (offsets, text) => {
          const sorted = Float64Array.from(offsets).sort();
          const one = makePlayback(sorted, text, 0, true);
          let before = '';
          for (const us of sorted) {
            const now = textBy(one, us);
            expect(now.startsWith(before)).toBe(true);
            // Throws for half a character.
            encodeURIComponent(now);
            before = now;
          }
          expect(before).toBe(text);
          expect(chunksBy(one, sorted.at(-1) ?? 0)).toBe(sorted.length);
        },
      ),
    );
  });
});

describe('messages', () => {
  const document = (input: string, output: string) => ({
    gen_ai: { input: { messages: input }, output: { messages: output } },
  });

  it('reads what the conventions say', () => {
    const read = conversationOf(
      document(
        JSON.stringify([{ role: 'user', parts: [{ type: 'text', content: 'Why?' }] }]),
        JSON.stringify([
          {
            role: 'assistant',
            finish_reason: 'stop',
            parts: [
              { type: 'reasoning', content: 'hm' },
              { type: 'text', content: 'Because' },
              { type: 'tool_call', name: 'look', arguments: { at: 1 } },
            ],
          },
        ]),
      ),
    );
    expect(read?.input[0]?.parts[0]?.text).toBe('Why?');
    expect(read?.output[0]?.finish).toBe('stop');
    expect(read?.output[0]?.parts.map((part) => part.kind)).toEqual(['reasoning', 'text', 'call']);
    expect(answerText(read)).toBe('Because');
  });

  it('reads the older form, and keeps what was cut off', () => {
    const read = conversationOf(document('[{"role":"user","content":"Hel', '[{"role":"assistant","content":"Hi"}]'));
    expect(read?.raw).toEqual(['[{"role":"user","content":"Hel']);
    expect(answerText(read)).toBe('Hi');
    expect(conversationOf({})).toBeUndefined();
    expect(conversationOf(document('3', 'null'))?.raw).toEqual(['3', 'null']);
  });
});
