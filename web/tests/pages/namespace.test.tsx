import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { NAMESPACES, ROLE_TEMPLATE_BINDINGS, ROLE_TEMPLATES } from '../../src/api/resources';
import { status } from '../support/fakeApi';
import { expectAccessible, showPage } from '../support/page';
import { StoringApi } from '../support/storingApi';

let api: StoringApi;

beforeEach(() => {
  api = new StoringApi();
  api.install();
  api.put(NAMESPACES, {
    metadata: {
      name: 'team-a',
      labels: { 'llmos.ai/guarded': 'x', team: 'a' },
      annotations: { 'link.example/x': 'javascript:alert(1)', 'link.example/y': 'https://ok.test' },
    },
    status: { phase: 'Active' },
  } as never);
  api.put(ROLE_TEMPLATE_BINDINGS, {
    metadata: { name: 'b' },
    roleTemplateRef: { kind: 'RoleTemplate', name: 'namespace-owner' },
    subjects: [{ kind: 'User', name: 'alice' }],
    namespaceId: 'team-a',
    status: { conditions: [{ type: 'InForce', status: 'True' }] },
  } as never);
  api.put(ROLE_TEMPLATES, {
    metadata: { name: 'namespace-owner' },
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }],
  } as never);
});

describe('creating a namespace', () => {
  it('checks the name as it is typed, and makes it with its members', async () => {
    const { container, router } = showPage('/namespaces/new');
    const user = userEvent.setup();
    const name = await screen.findByLabelText('Name');
    await user.type(name, 'kube-x');
    expect(screen.getByText(/belong to the platform/)).toBeInTheDocument();
    await user.clear(name);
    await user.type(name, 'team-a');
    expect(await screen.findByText(/of this name already/)).toBeInTheDocument();
    await user.type(name, '-new');
    await user.click(screen.getByRole('button', { name: 'Add member' }));
    await user.type(screen.getByRole('combobox', { name: 'User' }), 'bob');
    await user.keyboard('{Escape}');
    await user.type(screen.getByLabelText('CPU'), '16');
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Create' }));
    await waitFor(() => expect(router.state.location.pathname).toBe('/namespaces/team-a-new'));
    expect(api.names(NAMESPACES)).toContain('team-a-new');
    const [binding] = api.requests('POST', '/apis/management.llmos.ai/v1/roletemplatebindings');
    expect(binding?.body).toMatchObject({
      namespaceId: 'team-a-new',
      roleTemplateRef: { name: 'namespace-editor' },
      subjects: [{ kind: 'User', name: 'bob' }],
    });
  });

  it('says what was refused, and that nothing is left', async () => {
    api.refuse = (asked) =>
      asked.path.endsWith('resourcequotas') && asked.method === 'POST'
        ? status(422, 'Invalid', 'too much')
        : undefined;
    showPage('/namespaces/new');
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText('Name'), 'team-b');
    await user.type(screen.getByLabelText('CPU'), '16');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByText(/Nothing was created/)).toBeInTheDocument();
    expect(screen.getByText('too much')).toBeInTheDocument();
    expect(api.names(NAMESPACES)).toEqual(['team-a']);
  });
});

describe('the page of a namespace', () => {
  it('shows links that are web addresses, and no others', async () => {
    const { container } = showPage('/namespaces/team-a');
    expect(await screen.findByText('javascript:alert(1)')).toBeInTheDocument();
    const links = [...container.querySelectorAll('dd a')].map((each) => each.getAttribute('href'));
    expect(links).toEqual(['https://ok.test/']);
    await expectAccessible(container);
  });

  it('says so when it is gone', async () => {
    showPage('/namespaces/team-a');
    await screen.findByText('javascript:alert(1)');
    api.remove(NAMESPACES, 'team-a');
    expect(await screen.findByText('There is no namespace “team-a”')).toBeInTheDocument();
  });

  it('tells what a terminating one waits for', async () => {
    api.put(NAMESPACES, {
      metadata: { name: 'team-a', deletionTimestamp: '2026-01-01T00:00:00Z' },
      status: { conditions: [{ type: 'C', status: 'True', message: 'a finalizer of x remains' }] },
    } as never);
    showPage('/namespaces/team-a');
    expect(await screen.findByText('a finalizer of x remains', { selector: 'li' })).toBeVisible();
  });

  it('lets members be removed', async () => {
    const { container } = showPage('/namespaces/team-a?tab=members');
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Remove member: alice' }));
    await expectAccessible(container);
    const dialog = await screen.findByRole('dialog');
    await user.click(within(dialog).getByRole('button', { name: 'Remove' }));
    await waitFor(() => expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual([]));
  });

  it.each(['members', 'access'])('tells in %s who granted a role', async (tab) => {
    const binding = (name: string, template: string, person: string, by?: string) => {
      api.put(ROLE_TEMPLATE_BINDINGS, {
        metadata: {
          name,
          creationTimestamp: `2026-01-0${name.length}T00:00:00Z`,
          ...(by !== undefined && { annotations: { 'llmos.ai/granted-by': by } }),
        },
        roleTemplateRef: { kind: 'RoleTemplate', name: template },
        subjects: [{ kind: 'User', name: person }],
        namespaceId: 'team-a',
        status: { conditions: [{ type: 'InForce', status: 'True' }] },
      } as never);
    };
    // The role that is shown is that of the owner, though it came later.
    binding('c', 'namespace-editor', 'bob', 'dora');
    binding('cc', 'namespace-owner', 'bob', 'erin');
    binding('ccc', 'namespace-readonly', 'carl');
    const { container } = showPage(`/namespaces/team-a?tab=${tab}`);
    await screen.findByText('carl');
    const granters = (person: string) =>
      screen
        .getAllByRole(tab === 'members' ? 'row' : 'listitem')
        .filter((each) => within(each).queryByText(person) !== null)
        .flatMap((each) => [...each.querySelectorAll('.granter')])
        .map((each) => [
          each.firstElementChild?.textContent,
          each.querySelector('time')?.getAttribute('datetime'),
        ]);
    const [second, first] = ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'];
    expect(granters('bob')).toEqual(
      tab === 'members'
        ? [['erin', second]]
        : [
            ['erin', second],
            ['dora', first],
          ],
    );
    expect(granters('carl')).toEqual([['the platform', '2026-01-03T00:00:00Z']]);
    await expectAccessible(container);
  });

  it('finds members by who granted their roles', async () => {
    api.put(ROLE_TEMPLATE_BINDINGS, {
      metadata: { name: 'c', annotations: { 'llmos.ai/granted-by': 'dora' } },
      roleTemplateRef: { kind: 'RoleTemplate', name: 'namespace-editor' },
      subjects: [{ kind: 'User', name: 'bob' }],
      namespaceId: 'team-a',
    } as never);
    showPage('/namespaces/team-a?tab=members');
    await screen.findByText('bob');
    await userEvent.setup().type(screen.getByRole('searchbox'), 'dora');
    await waitFor(() => expect(screen.queryByText('alice')).not.toBeInTheDocument());
    expect(screen.getByText('bob')).toBeInTheDocument();
  });

  it('offers nothing to whoever does not manage members', async () => {
    api.allowed = (attributes) => attributes.subresource !== 'members';
    showPage('/namespaces/team-a?tab=members');
    const add = await screen.findByRole('button', { name: 'Add member' });
    await waitFor(() => expect(add).not.toBeInTheDocument());
    expect(screen.getByRole('button', { name: 'Add member' })).toHaveAttribute(
      'aria-disabled',
      'true',
    );
    expect(screen.queryByRole('button', { name: /Remove member/ })).not.toBeInTheDocument();
  });

  it('says who has access, and what his role allows', async () => {
    const { container } = showPage('/namespaces/team-a?tab=access');
    expect(await screen.findByText('alice')).toBeInTheDocument();
    expect(await screen.findByText(/configmaps/, { selector: 'dd p' })).toBeInTheDocument();
    await expectAccessible(container);
  });

  it('locks protected labels for whoever is no administrator', async () => {
    api.whoami = { user: { username: 'alice', uid: 'a', groups: ['llmos:users'] }, csrfToken: 'x' };
    showPage('/namespaces/team-a/edit');
    const guarded = await screen.findByDisplayValue('llmos.ai/guarded');
    expect(guarded).toBeDisabled();
    expect(screen.getByDisplayValue('team')).toBeEnabled();
  });
});
