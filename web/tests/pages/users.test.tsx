import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { GLOBAL_ROLES, ROLE_TEMPLATE_BINDINGS, USERS } from '../../src/api/resources';
import { json, status } from '../support/fakeApi';
import { expectAccessible, showPage, tryToLeave } from '../support/page';
import { StoringApi } from '../support/storingApi';

let api: StoringApi;

beforeEach(() => {
  api = new StoringApi();
  api.install();
  api.put(
    USERS,
    { metadata: { name: 'admin' }, spec: { username: 'admin' } } as never,
    {
      metadata: { name: 'alice' },
      spec: { username: 'alice', displayName: 'Alice L.', groups: ['vision'] },
    } as never,
    { metadata: { name: 'bob' }, spec: { username: 'bob', isActive: false } } as never,
  );
  api.put(GLOBAL_ROLES, { metadata: { name: 'admin' } }, { metadata: { name: 'user' } });
  api.put(
    ROLE_TEMPLATE_BINDINGS,
    {
      metadata: { name: 'b1' },
      roleTemplateRef: { kind: 'GlobalRole', name: 'admin' },
      subjects: [{ kind: 'User', name: 'admin' }],
    } as never,
    {
      metadata: { name: 'b2' },
      roleTemplateRef: { kind: 'RoleTemplate', name: 'namespace-editor' },
      subjects: [{ kind: 'Group', name: 'vision' }],
      namespaceId: 'team-vision',
    } as never,
  );
  api.refuse = (asked) =>
    asked.path.endsWith('/password') ? json({ oneTimePassword: 'once-only' }) : undefined;
});

const rowOf = async (name: string) => {
  const found = (await screen.findByRole('link', { name })).closest('tr');
  if (!found) throw new Error('not in a table');
  return found;
};

const choose = async (name: string, action: string) => {
  const user = userEvent.setup();
  await rowOf(name);
  await user.click(screen.getByRole('button', { name: `Actions for ${name}` }));
  await user.click(await screen.findByRole('menuitem', { name: action }));
};

describe('the page of users', () => {
  it('shows who they are and what they were given', async () => {
    const { container } = showPage('/users');
    expect(await rowOf('admin')).toHaveTextContent('Administrator');
    const alice = await rowOf('alice');
    expect(alice).toHaveTextContent('Alice L.');
    expect(alice).toHaveTextContent('vision');
    expect(alice).toHaveTextContent('team-vision');
    expect(alice).not.toHaveTextContent('Administrator');
    expect(await rowOf('bob')).toHaveTextContent('Inactive');
    await expectAccessible(container);
  });

  it('creates one, and shows his password once', async () => {
    showPage('/users');
    await rowOf('alice');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Create user' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByRole('textbox', { name: /Username/ }), 'carol');
    await user.click(within(dialog).getByRole('button', { name: 'Create' }));
    expect(await screen.findByDisplayValue('once-only')).toBeInTheDocument();
    const shown = within(screen.getByRole('dialog'));
    expect(shown.queryByRole('button', { name: 'Close' })).not.toBeInTheDocument();
    await tryToLeave(user);
    expect(screen.getByDisplayValue('once-only')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'I have kept it' }));
    await waitFor(() => expect(screen.queryByDisplayValue('once-only')).not.toBeInTheDocument());
    expect(api.names(USERS)).toContain('carol');
  });

  it('sees a name that is taken while it is typed', async () => {
    showPage('/users');
    await rowOf('alice');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Create user' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByRole('textbox', { name: /Username/ }), 'alice');
    expect(within(dialog).getByText('There is a user of this name.')).toBeInTheDocument();
    expect(within(dialog).getByRole('button', { name: 'Create' })).toBeDisabled();
  });

  it('keeps one out after it asked', async () => {
    showPage('/users');
    await choose('alice', 'Deactivate');
    const dialog = await screen.findByRole('dialog');
    expect(api.requests('PATCH', '/apis/management.llmos.ai/v1/users/alice')).toHaveLength(0);
    await userEvent.setup().click(within(dialog).getByRole('button', { name: 'Deactivate' }));
    const path = '/apis/management.llmos.ai/v1/users/alice';
    await waitFor(() => expect(api.requests('PATCH', path)).toHaveLength(1));
    expect(api.requests('PATCH', path)[0]?.body).toEqual({ spec: { isActive: false } });
  });

  it('says what the server says against it', async () => {
    api.refuse = (asked) =>
      asked.method === 'DELETE' ? status(403, 'Forbidden', 'the last administrator') : undefined;
    showPage('/users');
    await choose('admin', 'Delete');
    const dialog = await screen.findByRole('dialog');
    await userEvent.setup().click(within(dialog).getByRole('button', { name: 'Delete' }));
    expect(await within(dialog).findByRole('alert')).toHaveTextContent('the last administrator');
  });

  it('makes a one-time password for others, and not for oneself', async () => {
    showPage('/users');
    await choose('alice', 'Reset password');
    const dialog = await screen.findByRole('dialog');
    await userEvent.setup().click(within(dialog).getByRole('button', { name: 'Reset password' }));
    expect(await screen.findByDisplayValue('once-only')).toBeInTheDocument();
    expect(api.requests('PUT', '/auth/users/alice/password')).toHaveLength(1);
  });

  it('offers nothing to whoever may not, and says why', async () => {
    api.allowed = () => false;
    showPage('/users');
    await rowOf('alice');
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Create user' })).toHaveAttribute(
        'aria-disabled',
        'true',
      ),
    );
    await userEvent.setup().click(screen.getByRole('button', { name: 'Actions for alice' }));
    for (const name of [/^Deactivate/, /^Reset password/, /^Delete/]) {
      const item = await screen.findByRole('menuitem', { name });
      await waitFor(() => expect(item).toHaveAttribute('aria-disabled', 'true'));
    }
  });
});

describe('the page of a user', () => {
  it('shows memberships and through what he has them', async () => {
    const { container } = showPage('/users/alice');
    const row = (await screen.findByRole('link', { name: 'team-vision' })).closest('tr');
    expect(row).toHaveTextContent('Editor');
    expect(row).toHaveTextContent('Group vision');
    await expectAccessible(container);
  });

  it('gives a role in the whole cluster', async () => {
    showPage('/users/alice');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Give a role' }));
    const dialog = await screen.findByRole('dialog');
    await user.click(within(dialog).getByRole('button', { name: 'Give a role' }));
    const path = '/apis/management.llmos.ai/v1/roletemplatebindings';
    await waitFor(() => expect(api.requests('POST', path)).toHaveLength(1));
    expect(api.requests('POST', path)[0]?.body).toMatchObject({
      roleTemplateRef: { kind: 'GlobalRole', name: 'admin' },
      subjects: [{ kind: 'User', name: 'alice' }],
    });
  });

  it('takes one away, and leaves what comes by a group', async () => {
    showPage('/users/admin');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Take away Administrator' }));
    const dialog = await screen.findByRole('dialog');
    await user.click(within(dialog).getByRole('button', { name: 'Remove' }));
    await waitFor(() => expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual(['b2']));
  });

  it('changes what is said about him, and only where nobody was faster', async () => {
    showPage('/users/alice');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Edit' }));
    const dialog = await screen.findByRole('dialog');
    const name = within(dialog).getByRole('textbox', { name: /Display name/ });
    await user.clear(name);
    await user.type(name, 'Alice');
    await user.click(within(dialog).getByRole('button', { name: 'Save' }));
    const path = '/apis/management.llmos.ai/v1/users/alice';
    await waitFor(() => expect(api.requests('PATCH', path)).toHaveLength(1));
    expect(api.requests('PATCH', path)[0]?.body).toMatchObject({
      metadata: { resourceVersion: expect.any(String) as string },
      spec: { displayName: 'Alice', groups: ['vision'] },
    });
  });
});
