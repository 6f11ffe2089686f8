import { useSyncExternalStore } from 'react';
import { m } from '../base/i18n';
import { hotkeysOn, switchHotkeys } from '../components/hotkeys';
import { Modal } from '../components/modal';

function Keys({ keys }: { keys: string }) {
  return keys.split(' ').map((key, i) => (key === '|' ? <span key={i}> / </span> : <kbd key={i}>{key}</kbd>));
}

export default function Help({ onClose }: { onClose: () => void }) {
  const on = useSyncExternalStore(hotkeysOn.subscribe, hotkeysOn.get);
  const sections: [string, [string, string][]][] = [
    [
      m.keys.everywhere,
      [
        ['?', m.keys.help],
        ['g s', m.keys.goServices],
        ['g t', m.keys.goTraces],
        ['g d', m.keys.goDependencies],
        ['g m', m.keys.goLlm],
        ['g c', m.keys.goSpend],
        ['g o', m.keys.goSessions],
        ['g x', m.keys.goCorrelations],
        ['g e', m.keys.goErrors],
        ['g a', m.keys.goStart],
        ['/', m.keys.find],
        ['t', m.keys.timeRange],
        ['r', m.keys.refresh],
        ['l', m.keys.live],
        ['y', m.keys.copyLink],
      ],
    ],
    [
      m.keys.inTrace,
      [
        ['k | j', m.keys.rows],
        ['← | →', m.keys.collapse],
        ['Enter | Esc', m.keys.open],
        ['n | N', m.keys.samples],
        ['c', m.keys.critical],
        ['e | E', m.keys.error],
        ['w | s', m.keys.zoom],
        ['a | d', m.keys.pan],
        ['f', m.keys.fit],
        ['0', m.keys.all],
        ['[ | ]', m.keys.level],
      ],
    ],
    [
      m.keys.inLists,
      [
        ['k | j', m.keys.rows],
        ['n | p', m.keys.samples],
      ],
    ],
  ];
  return (
    <Modal title={m.keys.title} onClose={onClose}>
      <div className="help">
        {sections.map(([title, rows]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows.map(([keys, text]) => (
                <div key={keys}>
                  <dt>
                    <Keys keys={keys} />
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => switchHotkeys(event.target.checked)} />
        {m.keys.enabled}
      </label>
    </Modal>
  );
}
