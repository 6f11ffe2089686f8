import { useSyncExternalStore } from 'react';
import { language, m } from '../base/i18n';
import { Modal } from '../components/modal';
import { chooseTheme, themeChoice } from '../components/theme';
import { switchLanguage } from './language';

export default function Preferences({ onClose }: { onClose: () => void }) {
  const theme = useSyncExternalStore(themeChoice.subscribe, themeChoice.get);
  const themes = [
    ['system', m.header.themeSystem],
    ['dark', m.header.themeDark],
    ['light', m.header.themeLight],
  ] as const;
  const languages = [
    ['en', 'English'],
    ['de', 'Deutsch'],
  ] as const;
  return (
    <Modal title={m.header.preferences} onClose={onClose}>
      <fieldset className="choices">
        <legend>{m.header.theme}</legend>
        {themes.map(([value, label]) => (
          <label key={value} className="check">
            <input type="radio" name="theme" checked={theme === value} onChange={() => chooseTheme(value)} />
            {label}
          </label>
        ))}
      </fieldset>
      <fieldset className="choices">
        <legend>{m.header.language}</legend>
        {languages.map(([value, label]) => (
          <label key={value} className="check" lang={value}>
            <input
              type="radio"
              name="language"
              checked={language() === value}
              onChange={() => void switchLanguage(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>
    </Modal>
  );
}
