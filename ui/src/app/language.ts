import { chooseLanguage, type Language, language } from '../base/i18n';
import { createStore, writePreference } from '../base/store';

/** The language on screen; all texts are drawn anew when it changes. */
export const languageStore = createStore<Language>(language());

export async function switchLanguage(next: Language): Promise<void> {
  await chooseLanguage(next);
  writePreference('language', next);
  languageStore.set(next);
}
