import { createRoot } from 'react-dom/client';
import { chooseLanguage, preferredLanguage } from '../base/i18n';
import { readPreference } from '../base/store';
import '../styles/tokens.css';
import '../styles/app.css';
import '../styles/components.css';
import '../styles/waterfall.css';
import '../styles/playback.css';
import '../styles/llm.css';
import '../styles/correlations.css';
import '../styles/spend.css';
import { App } from './App';

const root = document.getElementById('root');
if (root) {
  await chooseLanguage(preferredLanguage(readPreference('language'), navigator.language));
  createRoot(root).render(<App />);
}
