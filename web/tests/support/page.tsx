/** Shows the whole page at an address, as the browser would. */

import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import type { UserEvent } from '@testing-library/user-event';
import axe from 'axe-core';
import { expect } from 'vitest';

import { forget } from '../../src/api/session';
import { makeRouter } from '../../src/app/router';

export function showPage(path: string) {
  forget();
  const router = makeRouter(createMemoryHistory({ initialEntries: [`/ui${path}`] }));
  return { ...render(<RouterProvider router={router} />), router };
}

/** Does what closes other dialogs by chance: a click beside it, the Escape key. */
export async function tryToLeave(user: UserEvent): Promise<void> {
  const scrim = document.querySelector('.scrim');
  if (!scrim) throw new Error('no dialog is open');
  await user.click(scrim);
  await user.keyboard('{Escape}');
}

/** No violation of axe's rules; colours are looked at in a real browser. */
export async function expectAccessible(container: Element): Promise<void> {
  const found = await axe.run(container, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  });
  expect(found.violations.map((each) => `${each.id}: ${each.nodes[0]?.html ?? ''}`)).toEqual([]);
}
