/** Why does it print word by word? Plays an answer as it came, beside an explanation from its own numbers. */

import { Pause, Play, RotateCcw, StepBack, StepForward } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { numberAt } from '../../base/document';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { IconButton } from '../../components/iconbutton';
import { useSetView, useView } from '../../components/view';
import { answerText, conversationOf } from './model/messages';
import {
  arrivalTimes,
  chunksBy,
  evenTimes,
  makePlayback,
  type Playback as PlaybackData,
  rateBy,
  textBy,
} from './model/playback';
import type { Trace } from './model/trace';

const speeds = [0.25, 0.5, 1, 2, 4, 16];
const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export function Playback({ trace, item, document }: { trace: Trace; item: number; document: unknown }) {
  const [even, setEven] = useState(false);
  const text = useMemo(() => answerText(conversationOf(document)), [document]);
  const arrivals = trace.arrivals.get(item);
  const chunks = trace.chunks[item] ?? 0;
  const first = trace.firstChunk[item] ?? -1;
  const duration = trace.duration[item] ?? 0;
  const playback = useMemo(() => {
    if (arrivals) {
      const times = arrivalTimes(arrivals, trace.chunksPerArrival.get(item) ?? 1, chunks);
      return makePlayback(times, text, duration, true);
    }
    return even ? makePlayback(evenTimes(chunks, Math.max(0, first), duration), text, duration, false) : null;
  }, [arrivals, trace, item, chunks, text, duration, even, first]);
  const tokens = numberAt(document, 'gen_ai.usage.output_tokens') ?? null;
  const input = numberAt(document, 'gen_ai.usage.input_tokens') ?? null;
  if (!playback) {
    return (
      <div className="not-captured">
        <p>
          <b>{m.playback.noTimes}</b>
        </p>
        <p className="dim">{m.playback.howToRecord}</p>
        {chunks > 1 && (
          <button type="button" className="button" onClick={() => setEven(true)}>
            {m.playback.simulate}
          </button>
        )}
        <Explanation first={first} duration={duration} tokens={tokens ?? chunks} input={input} stalls={null} />
      </div>
    );
  }
  return (
    <>
      {!playback.real && (
        <p className="strip" role="note">
          {m.playback.notReal}
        </p>
      )}
      <Player playback={playback} />
      <Explanation
        first={playback.times[0] ?? first}
        duration={playback.times[playback.times.length - 1] ?? duration}
        tokens={tokens ?? playback.times.length}
        input={input}
        stalls={playback.real ? playback : null}
      />
    </>
  );
}

function Player({ playback }: { playback: PlaybackData }) {
  const view = useView();
  const setView = useSetView();
  const end = playback.durationUs;
  const [at, setAt] = useState(() => Math.min(end, (view.play ?? end / 1000) * 1000));
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [said, setSaid] = useState('');
  const position = useRef(at);
  position.current = at;

  useEffect(() => {
    if (!playing) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function tick(now: number) {
      const next = Math.min(end, position.current + (now - last) * 1000 * speed);
      last = now;
      setAt(next);
      if (next >= end) setPlaying(false);
      else frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, end]);

  const text = textBy(playback, at);
  // Whole sentences are read out, not single words.
  const sentences = text.slice(0, Math.max(0, ...['. ', '? ', '! ', '\n'].map((s) => text.lastIndexOf(s) + 1)));
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => setSaid(sentences), 500);
    return () => clearTimeout(timer);
  }, [sentences, playing]);

  const keep = (us: number) => setView({ play: us >= end ? undefined : Math.round(us / 1000) }, 'replace');
  const jump = (us: number) => {
    const next = Math.max(0, Math.min(end, us));
    setPlaying(false);
    setAt(next);
    keep(next);
  };
  const toggle = () => {
    if (playing) {
      setPlaying(false);
      keep(at);
      return;
    }
    if (at >= end) setAt(0);
    setPlaying(true);
  };
  const step = (by: number) => {
    const chunks = chunksBy(playback, at);
    const target = chunks - 1 + by;
    jump(target < 0 ? 0 : (playback.times[Math.min(target, playback.times.length - 1)] ?? end));
  };
  const still = reducedMotion();
  const chunks = chunksBy(playback, at);
  const stall = playback.stalls.find((s) => at >= s.fromUs && at < s.fromUs + s.gapUs);
  return (
    <div className="player">
      <div className="player-controls">
        <IconButton
          kind="primary"
          label={playing ? m.playback.pause : m.playback.play}
          title={still ? m.playback.reducedMotion : playing ? m.playback.pause : m.playback.play}
          disabled={still}
          onClick={toggle}
        >
          {playing ? <Pause size={16} aria-hidden /> : <Play size={16} aria-hidden />}
        </IconButton>
        <IconButton kind="quiet" label={m.playback.restart} onClick={() => jump(0)}>
          <RotateCcw size={15} aria-hidden />
        </IconButton>
        <IconButton kind="quiet" label={m.playback.back} onClick={() => step(-1)}>
          <StepBack size={15} aria-hidden />
        </IconButton>
        <IconButton kind="quiet" label={m.playback.forward} onClick={() => step(1)}>
          <StepForward size={15} aria-hidden />
        </IconButton>
        <label className="select">
          <span className="visually-hidden">{m.playback.speed}</span>
          <select value={speed} onChange={(event) => setSpeed(Number(event.target.value))}>
            {speeds.map((s) => (
              <option key={s} value={s}>
                {s}×
              </option>
            ))}
          </select>
        </label>
        <input
          type="range"
          className="scrub"
          min={0}
          max={end}
          step={Math.max(1, Math.round(end / 1000))}
          value={at}
          aria-label={m.playback.position}
          aria-valuetext={`${format.duration(at)} / ${format.duration(end)}`}
          onChange={(event) => jump(Number(event.target.value))}
        />
        <span className="num small nowrap">
          {format.duration(at)} / {format.duration(end)}
        </span>
      </div>
      <p className="small dim player-now">
        {m.playback.chunks(chunks, playback.times.length)} ·{' '}
        {stall ? (
          <span className="error-text">{m.playback.stalled(format.duration(stall.gapUs))}</span>
        ) : (
          m.playback.rate(format.perMinute(rateBy(playback, at)))
        )}
      </p>
      <div className="player-panes">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
        <section className="seen" aria-label={m.playback.seen} tabIndex={0}>
          {playback.text === '' ? (
            <p className="dim">
              {m.playback.noText} <span aria-hidden>{'▪'.repeat(Math.min(chunks, 2000))}</span>
            </p>
          ) : (
            <p className="said" dir="auto">
              {text}
              {at < end && <span className="caret" aria-hidden />}
            </p>
          )}
        </section>
        <Arrivals playback={playback} at={at} />
      </div>
      <p className="visually-hidden" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

/** Size of the picture of arrivals, in its own units. */
const width = 320;
const height = 120;

/** How many chunks had come when, with stalls marked. */
function Arrivals({ playback, at }: { playback: PlaybackData; at: number }) {
  const { times, durationUs, stalls } = playback;
  const x = (us: number) => (us / durationUs) * width;
  const y = (chunks: number) => height - (chunks / Math.max(1, times.length)) * (height - 4);
  const path = useMemo(() => {
    // No more corners than can be told apart.
    const step = Math.max(1, Math.floor(times.length / 640));
    const X = (us: number) => ((us / durationUs) * width).toFixed(1);
    const Y = (chunks: number) => (height - (chunks / Math.max(1, times.length)) * (height - 4)).toFixed(1);
    let d = `M0 ${height}`;
    for (let i = 0; i < times.length; i += step) d += `L${X(times[i] ?? 0)} ${Y(i)}L${X(times[i] ?? 0)} ${Y(i + 1)}`;
    return d;
  }, [times, durationUs]);
  return (
    <figure className="arrivals">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={m.playback.arrivalsSummary(times.length, format.duration(times[0] ?? 0), stalls.length)}
        preserveAspectRatio="none"
      >
        {stalls.map((stall) => (
          <rect key={stall.fromUs} className="stall" x={x(stall.fromUs)} y={0} width={x(stall.gapUs)} height={height} />
        ))}
        <path d={path} className="arrived" />
        <line x1={x(at)} x2={x(at)} y1={0} y2={height} className="playhead" />
        <circle cx={x(at)} cy={y(chunksBy(playback, at))} r={3} className="playhead-dot" />
      </svg>
      <figcaption className="dim small">{m.playback.arrivals}</figcaption>
    </figure>
  );
}

function Explanation({
  first,
  duration,
  tokens,
  input,
  stalls,
}: {
  first: number;
  duration: number;
  tokens: number;
  input: number | null;
  stalls: PlaybackData | null;
}) {
  const decoding = duration - first;
  if (first < 0 || tokens < 2 || decoding <= 0) return null;
  const lost = stalls?.stalls.reduce((sum, stall) => sum + stall.gapUs, 0) ?? 0;
  const perToken = decoding / (tokens - 1);
  return (
    <section className="explanation">
      <h3>{m.playback.why}</h3>
      <p>
        {m.playback.waiting(format.duration(first), input === null ? null : format.count(input))}{' '}
        {m.playback.decoding(format.count(tokens), format.duration(perToken), format.duration(perToken * 100))}
      </p>
      <p>{m.playback.because}</p>
      {stalls && stalls.stalls.length > 0 && <p>{m.playback.stalls(stalls.stalls.length, format.duration(lost))}</p>}
    </section>
  );
}
