import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { FakeApi, json } from '../support/fakeApi';
import { expectAccessible, showPage, tryToLeave } from '../support/page';

let api: FakeApi;
let tokens: object[];

const token = (name: string, description: string) => ({
  name,
  description,
  kind: 'api',
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: '2027-01-01T00:00:00Z',
});

beforeEach(() => {
  api = new FakeApi().install();
  tokens = [token('token-1', 'CI'), { ...token('s', ''), kind: 'session' }];
  api.first = (asked) => {
    if (asked.path === '/auth/tokens' && asked.method === 'GET') return json({ items: tokens });
    if (asked.path === '/auth/tokens') {
      tokens = [...tokens, token('token-2', 'new one')];
      return json({ ...token('token-2', 'new one'), token: 'token-2:secret' }, 201);
    }
    if (asked.method !== 'DELETE') return undefined;
    tokens = [];
    return new Response(null, { status: 204 });
  };
});

describe('API keys', () => {
  it('are shown once when they are made, and live nowhere else', async () => {
    const { container } = showPage('/account');
    const user = userEvent.setup();
    expect(await screen.findByText('CI')).toBeInTheDocument();
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Create API key' }));
    await user.type(await screen.findByLabelText('Description'), 'new one');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByLabelText('API key')).toHaveValue('token-2:secret');
    expect(api.requests('POST', '/auth/tokens')[0]?.body).toEqual({
      description: 'new one',
      ttlSeconds: 30 * 86_400,
    });
    await tryToLeave(user);
    expect(screen.getByLabelText('API key')).toHaveValue('token-2:secret');
    await user.click(screen.getByRole('button', { name: 'I have kept it' }));
    await waitFor(() => expect(screen.queryByDisplayValue(/secret/)).not.toBeInTheDocument());
    expect(JSON.stringify(localStorage) + JSON.stringify(sessionStorage)).not.toContain('secret');
    expect(await screen.findByText('new one')).toBeInTheDocument();
  });

  it('are not made where one leaves the dialog', async () => {
    showPage('/account');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Create API key' }));
    await screen.findByRole('dialog');
    await tryToLeave(user);
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  });

  it('are revoked', async () => {
    showPage('/account');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Revoke CI' }));
    const dialog = await screen.findByRole('dialog');
    await user.click(within(dialog).getByRole('button', { name: 'Revoke' }));
    expect(await screen.findByText('You have no API keys')).toBeInTheDocument();
    expect(api.requests('DELETE', '/auth/tokens/token-1')).toHaveLength(1);
  });
});
