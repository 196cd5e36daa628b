import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';

import { signedOut } from '../src/api/client';
import { startI18n } from '../src/i18n';
import { toasts } from '../src/ui/toasts';

/** jsdom has no layout; a page of its own has one of this size. */
const WIDTH = 1440;
const HEIGHT = 900;

function matches(query: string): boolean {
  const min = /min-width: (\d+)px/.exec(query);
  if (min) return WIDTH >= Number(min[1]);
  const max = /max-width: (\d+)px/.exec(query);
  return max !== null && WIDTH <= Number(max[1]);
}

// What is wrong, without the whole document.
configure({
  // The first page of a file is fetched and translated on the way.
  asyncUtilTimeout: 5_000,
  getElementError: (message) => new Error(message ?? ''),
});

beforeEach(async () => {
  localStorage.setItem('llmos-language', 'en');
  vi.stubGlobal('matchMedia', (query: string) => ({
    matches: matches(query),
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe = () => undefined;
      unobserve = () => undefined;
      disconnect = () => undefined;
    },
  );
  Object.defineProperties(HTMLElement.prototype, {
    clientWidth: { configurable: true, get: () => WIDTH },
    clientHeight: { configurable: true, get: () => HEIGHT },
    offsetWidth: { configurable: true, get: () => WIDTH },
    offsetHeight: { configurable: true, get: () => HEIGHT },
  });
  window.scrollTo = () => undefined;
  await startI18n();
});

afterEach(() => {
  cleanup();
  toasts.clear();
  // Everything that was read or asked belonged to the session of this test.
  signedOut.emit(undefined);
});
