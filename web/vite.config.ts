import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The server that `npm run dev` speaks to: `llmos serve` on its usual port, unless told otherwise. */
const server = process.env.LLMOS_SERVER ?? 'https://127.0.0.1:6443';
const forwarded = { target: server, changeOrigin: true, secure: false, ws: true };

export default defineConfig({
  base: '/ui/',
  plugins: [react()],
  build: {
    target: 'es2023',
    // Everything is a file of its own: the policy of the page allows neither data: scripts nor inline ones.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: { '/api': forwarded, '/apis': forwarded, '/auth': forwarded, '/version': forwarded },
  },
});
