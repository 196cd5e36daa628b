import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { FakeApi, json, status } from '../support/fakeApi';
import { expectAccessible, showPage } from '../support/page';

let api: FakeApi;
let who: unknown;

beforeEach(() => {
  api = new FakeApi().install();
  who = api.whoami;
  api.whoami = undefined;
  api.first = (asked) => {
    if (asked.path !== '/auth/login') return undefined;
    const { password } = asked.body as { password: string };
    if (password !== 'right') return status(401, 'Unauthorized', 'wrong');
    api.whoami = who;
    return json({});
  };
});

async function signIn(password: string) {
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText('Username'), 'admin');
  await user.type(screen.getByLabelText('Password'), password);
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
}

describe('signing in', () => {
  it('is asked for, and leads to where one wanted to go', async () => {
    const { router } = showPage('/namespaces?ns=team-a');
    await signIn('right');
    expect(await screen.findByRole('heading', { name: 'Namespaces' })).toBeInTheDocument();
    expect(router.state.location.search).toEqual({ ns: 'team-a' });
    const [login] = api.requests('POST', '/auth/login');
    expect(login?.body).toEqual({ username: 'admin', password: 'right', cookie: true });
  });

  it('with a wrong password says so, and nothing else', async () => {
    showPage('/signin?error=Call+%2B1-900&message=%3Cb%3E');
    await signIn('wrong');
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'Username or password is wrong, or the account is not active.',
    );
    expect(document.body).not.toHaveTextContent('Call');
  });

  it('leads nowhere else', async () => {
    const { router } = showPage('/signin?next=%2F%2Fevil.test');
    await signIn('right');
    await screen.findByRole('heading', { name: 'Namespaces' });
    expect(router.state.location.pathname).toBe('/namespaces');
  });

  it('with a password that somebody gave asks for one of one’s own', async () => {
    who = { ...(who as object), mustChangePassword: true };
    const first = api.first;
    api.first = (asked) => {
      if (asked.path !== '/auth/password') return first(asked);
      api.whoami = { ...(who as object), mustChangePassword: false };
      return json(api.whoami);
    };
    showPage('/namespaces');
    await signIn('right');
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText('Current password'), 'right');
    await user.type(screen.getByLabelText('New password'), 'quite-long');
    await user.type(screen.getByLabelText('New password, once more'), 'quite-lung');
    expect(screen.getByText('The two passwords are not the same.')).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Change password' })).toBeDisabled();
    await user.clear(screen.getByLabelText('New password, once more'));
    await user.type(screen.getByLabelText('New password, once more'), 'quite-long');
    await user.click(screen.getByRole('button', { name: 'Change password' }));
    expect(await screen.findByRole('heading', { name: 'Namespaces' })).toBeInTheDocument();
    expect(api.requests('PUT', '/auth/password')[0]?.body).toEqual({
      currentPassword: 'right',
      newPassword: 'quite-long',
    });
  });

  it('keeps nothing where scripts could read it later', async () => {
    showPage('/signin');
    await signIn('right');
    await screen.findByRole('heading', { name: 'Namespaces' });
    await waitFor(() => expect(document.cookie).toBe(''));
    expect(JSON.stringify(localStorage) + JSON.stringify(sessionStorage)).not.toMatch(/csrf|right/);
  });

  it('is accessible', async () => {
    const { container } = showPage('/signin');
    await screen.findByLabelText('Username');
    await expectAccessible(container);
  });
});
