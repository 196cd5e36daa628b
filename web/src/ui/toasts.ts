/** What is told in passing, at the edge of the page. */

import { UNSTABLE_ToastQueue as ToastQueue } from 'react-aria-components';

export interface ToastContent {
  tone: 'ok' | 'warn' | 'bad';
  title: string;
  text?: string;
}

export const toasts = new ToastQueue<ToastContent>({ maxVisibleToasts: 4 });

const shown = new Set<string>();

/** Shows a message for some seconds; the same one is not shown twice at a time. */
export function toast(content: ToastContent): void {
  const key = JSON.stringify(content);
  if (shown.has(key)) return;
  shown.add(key);
  const timeout = content.tone === 'ok' ? 5_000 : 10_000;
  toasts.add(content, { timeout, onClose: () => shown.delete(key) });
}
