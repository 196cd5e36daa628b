/** Light or dark: as the system has it, or as the user chose. */

export type Theme = 'system' | 'light' | 'dark';

const STORED = 'llmos-theme';
const dark = () => window.matchMedia('(prefers-color-scheme: dark)');

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

function apply(): void {
  const chosen = chosenTheme();
  const shown = chosen === 'system' ? (dark().matches ? 'dark' : 'light') : chosen;
  document.documentElement.dataset.theme = shown;
}

export function startTheme(): void {
  dark().addEventListener('change', apply);
  apply();
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme);
  apply();
}
