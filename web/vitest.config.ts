import { defineConfig, mergeConfig } from 'vitest/config';

import page from './vite.config.ts';

/** Apart from how the page is built: a build needs none of the tools of tests. */
export default mergeConfig(
  page,
  defineConfig({
    test: {
      environment: 'jsdom',
      include: ['tests/**/*.test.{ts,tsx}'],
      setupFiles: ['tests/setup.ts'],
      testTimeout: 20_000,
      restoreMocks: true,
      unstubGlobals: true,
      environmentOptions: { jsdom: { url: 'https://llmos.test/ui/' } },
    },
  }),
);
