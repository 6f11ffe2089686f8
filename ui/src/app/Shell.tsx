/** What surrounds every screen: header, navigation, shortcuts, and the question for the secret. */

import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import {
  Activity,
  CircleDollarSign,
  CircleHelp,
  Layers,
  Link2,
  ListTree,
  MessagesSquare,
  Moon,
  PanelLeftClose,
  PanelLeftOpen,
  RefreshCw,
  Rocket,
  Scale,
  Settings2,
  Sparkles,
  Sun,
  TriangleAlert,
  Waypoints,
} from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { secretState } from '../api/client';
import { m } from '../base/i18n';
import { readPreference, writePreference } from '../base/store';
import { instantMs, isRelative } from '../base/time';
import { parseView, stringifyView } from '../base/view';
import { copyText } from '../components/copy';
import { useHotkeys } from '../components/hotkeys';
import { IconButton } from '../components/iconbutton';
import { chooseTheme, useTheme } from '../components/theme';
import { type Destination, Go, live, useGo, useLive } from '../components/view';
import { EnvironmentPicker } from './EnvironmentPicker';
import { Mark } from './Mark';
import { TimePicker } from './TimePicker';

const Help = lazy(() => import('./Help'));
const Secret = lazy(() => import('./Secret'));
const Preferences = lazy(() => import('./Preferences'));

const places = [
  { to: '/', match: /^\/($|services)/, icon: Layers, label: () => m.nav.services },
  { to: '/traces', match: /^\/traces/, icon: ListTree, label: () => m.nav.traces },
  { to: '/dependencies', match: /^\/dependencies/, icon: Waypoints, label: () => m.nav.dependencies },
  { to: '/llm', match: /^\/llm($|\/streaming)/, icon: Sparkles, label: () => m.nav.llm },
  { to: '/llm/cost', match: /^\/llm\/(cost|questions)/, icon: CircleDollarSign, label: () => m.nav.spend },
  { to: '/sessions', match: /^\/sessions/, icon: MessagesSquare, label: () => m.nav.sessions },
  { to: '/correlations', match: /^\/correlations/, icon: Scale, label: () => m.nav.correlations },
  { to: '/errors', match: /^\/errors/, icon: TriangleAlert, label: () => m.nav.errors },
  { to: '/start', match: /^\/start/, icon: Rocket, label: () => m.nav.start },
] as const;

/** The page's address with relative times made absolute, so that a shared link shows the same data tomorrow. */
function frozenLink(): string {
  const url = new URL(location.href);
  const view = parseView(Object.fromEntries(url.searchParams));
  const now = Date.now();
  const freeze = (text: string) => (isRelative(text) ? new Date(instantMs(text, now) ?? now).toISOString() : text);
  return `${url.origin}${url.pathname}${stringifyView({ ...view, from: freeze(view.from), to: freeze(view.to) })}`;
}

export function Shell() {
  const path = useLocation({ select: (location) => location.pathname });
  const client = useQueryClient();
  const go = useGo();
  const isLive = useLive();
  const theme = useTheme();
  const otherTheme = theme === 'dark' ? m.header.themeLight : m.header.themeDark;
  const secret = useSyncExternalStore(secretState.subscribe, secretState.get);
  const [dialog, setDialog] = useState<'help' | 'preferences' | null>(null);
  const [narrow, setNarrow] = useState(() => readPreference('rail') === 'narrow');
  const [said, setSaid] = useState('');
  const main = useRef<HTMLElement>(null);
  const time = useRef<HTMLButtonElement>(null);

  const refresh = () => void client.invalidateQueries();
  const copyLink = () =>
    void copyText(frozenLink()).then(() => {
      setSaid(m.common.linkCopied);
      setTimeout(() => setSaid(''), 2000);
    });
  const visit = (to: (typeof places)[number]['to']) => () => go({ to } as Destination);

  useHotkeys({
    '?': () => setDialog('help'),
    'g s': visit('/'),
    'g t': visit('/traces'),
    'g d': visit('/dependencies'),
    'g m': visit('/llm'),
    'g c': visit('/llm/cost'),
    'g o': visit('/sessions'),
    'g x': visit('/correlations'),
    'g e': visit('/errors'),
    'g a': visit('/start'),
    t: () => time.current?.click(),
    r: refresh,
    l: () => live.set(!live.get()),
    y: copyLink,
  });

  // A new screen begins at its top; changes of the same screen stay where they are.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each path
  useEffect(() => {
    main.current?.scrollTo?.(0, 0);
  }, [path]);

  const toggleRail = () => {
    writePreference('rail', narrow ? null : 'narrow');
    setNarrow(!narrow);
  };

  return (
    <div className={narrow ? 'shell narrow' : 'shell'}>
      <a className="skip" href="#main">
        {m.app.skip}
      </a>
      <header className="top">
        <Go to="/" className="brand" aria-label={m.app.name}>
          <Mark />
          <span>{m.app.name}</span>
        </Go>
        <span className="grow" />
        <EnvironmentPicker />
        <TimePicker trigger={time} />
        <IconButton label={m.header.refresh} title={`${m.header.refresh} (r)`} onClick={refresh}>
          <RefreshCw size={15} aria-hidden />
        </IconButton>
        <button
          type="button"
          className="button live"
          aria-pressed={isLive}
          title={isLive ? m.header.liveOn : m.header.liveOff}
          onClick={() => live.set(!isLive)}
        >
          <Activity size={14} aria-hidden />
          <span>{m.header.live}</span>
        </button>
        <IconButton kind="quiet" label={m.common.copyLink} title={`${m.common.copyLink} (y)`} onClick={copyLink}>
          <Link2 size={16} aria-hidden />
        </IconButton>
        <IconButton
          kind="quiet"
          label={`${m.header.theme}: ${otherTheme}`}
          onClick={() => chooseTheme(theme === 'dark' ? 'light' : 'dark')}
        >
          {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
        </IconButton>
        <IconButton kind="quiet" label={m.header.preferences} onClick={() => setDialog('preferences')}>
          <Settings2 size={16} aria-hidden />
        </IconButton>
        <IconButton kind="quiet" label={m.header.help} title={`${m.header.help} (?)`} onClick={() => setDialog('help')}>
          <CircleHelp size={16} aria-hidden />
        </IconButton>
      </header>
      <nav className="rail" aria-label={m.app.navigation}>
        <ul>
          {places.map(({ to, match, icon: Icon, label }) => (
            <li key={to}>
              <Go
                to={to}
                className={match.test(path) ? 'place here' : 'place'}
                title={label()}
                {...(match.test(path) ? { 'aria-current': 'page' as const } : {})}
              >
                <Icon size={17} aria-hidden />
                <span>{label()}</span>
              </Go>
            </li>
          ))}
        </ul>
        <button
          type="button"
          className="place fold"
          onClick={toggleRail}
          aria-label={narrow ? m.app.expand : m.app.collapse}
          title={narrow ? m.app.expand : m.app.collapse}
        >
          {narrow ? <PanelLeftOpen size={17} aria-hidden /> : <PanelLeftClose size={17} aria-hidden />}
        </button>
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <p className={said ? 'toast shown' : 'toast'} role="status">
        {said}
      </p>
      <Suspense fallback={null}>
        {dialog === 'help' && <Help onClose={() => setDialog(null)} />}
        {dialog === 'preferences' && <Preferences onClose={() => setDialog(null)} />}
        {secret !== 'unneeded' && <Secret wrong={secret === 'wrong'} onGiven={() => void client.resetQueries()} />}
      </Suspense>
    </div>
  );
}
