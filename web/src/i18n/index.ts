/** The languages of the page. English is in the page; every other is fetched when it is chosen. */

import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

import { en } from './en';
import { setPlatformTexts } from './platform';

export const LANGUAGES = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;

let chinese: Readonly<Record<string, string>> = {};
const STORED = 'llmos-language';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
    returnNull: false;
  }
}

function preferred(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.languages.some((each) => each.toLowerCase().startsWith('zh')) &&
    !navigator.language.toLowerCase().startsWith('en')
    ? 'zh'
    : 'en';
}

async function load(language: Language): Promise<void> {
  if (language === 'zh' && !i18next.hasResourceBundle('zh', 'translation')) {
    const { zh, platform } = await import('./zh');
    i18next.addResourceBundle('zh', 'translation', zh);
    chinese = platform;
  }
  setPlatformTexts(language === 'zh' ? chinese : {});
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    // React escapes; text is never markup.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  i18next.services.formatter?.add('spaced', spaced);
  await load(preferred());
}

/** Latin words stand apart from Chinese ones, Chinese from Chinese do not. */
function spaced(value: string): string {
  return /^\p{Script=Latin}/u.test(value) ? ` ${value}` : value;
}

export function currentLanguage(): Language {
  return i18next.language === 'zh' ? 'zh' : 'en';
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED, language);
  await load(language);
}
