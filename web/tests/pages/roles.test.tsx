import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { forgetDiscovery } from '../../src/api/discovery';
import {
  GLOBAL_ROLES,
  NODES,
  NOTEBOOKS,
  PODS,
  ROLE_TEMPLATE_BINDINGS,
  ROLE_TEMPLATES,
  SETTINGS,
} from '../../src/api/resources';
import { json } from '../support/fakeApi';
import { expectAccessible, showPage } from '../support/page';
import { StoringApi } from '../support/storingApi';

let api: StoringApi;

beforeEach(() => {
  forgetDiscovery();
  api = new StoringApi();
  api.install();
  api.serve(NODES, NOTEBOOKS, PODS);
  api.put(
    ROLE_TEMPLATES,
    {
      metadata: { name: 'namespace-editor' },
      spec: { displayName: 'Editor', builtin: true },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'create'] }],
    } as never,
    {
      metadata: { name: 'watcher' },
      spec: { displayName: 'Watcher' },
      rules: [
        { apiGroups: [''], resources: ['pods'], resourceNames: ['one'], verbs: ['get'] },
        { apiGroups: ['ml.llmos.ai'], resources: ['notebooks'], verbs: ['get', 'list'] },
      ],
    } as never,
  );
  api.put(GLOBAL_ROLES, {
    metadata: { name: 'admin' },
    spec: { builtin: true },
    rules: [{ nonResourceURLs: ['*'], verbs: ['*'] }],
  } as never);
  api.put(ROLE_TEMPLATE_BINDINGS, {
    metadata: { name: 'b1' },
    roleTemplateRef: { kind: 'RoleTemplate', name: 'watcher' },
    subjects: [{ kind: 'User', name: 'alice' }],
    namespaceId: 'team-a',
  } as never);
});

const ROLES = '/apis/management.llmos.ai/v1/roletemplates';

describe('role templates', () => {
  it('are listed, those of namespaces and those of the cluster', async () => {
    const { container } = showPage('/roles');
    const row = (await screen.findByRole('link', { name: 'Watcher' })).closest('tr');
    expect(row).toHaveTextContent('Custom');
    await expectAccessible(container);
    await userEvent.setup().click(screen.getByRole('tab', { name: /Global roles/ }));
    expect(await screen.findByRole('link', { name: 'Administrator' })).toBeInTheDocument();
    expect(screen.queryByRole('link', { name: 'Watcher' })).not.toBeInTheDocument();
  });

  it('say what they allow, and who has them', async () => {
    const { container } = showPage('/roles/namespace/watcher');
    expect(await screen.findByText('only one')).toBeInTheDocument();
    expect(screen.getByText('notebooks')).toBeInTheDocument();
    const holder = (await screen.findByRole('link', { name: 'alice' })).closest('tr');
    expect(holder).toHaveTextContent('team-a');
    await expectAccessible(container);
  });

  it('are deleted unless they are built in', async () => {
    showPage('/roles/namespace/namespace-editor');
    const button = await screen.findByRole('button', { name: 'Delete' });
    expect(button).toHaveAttribute('aria-disabled', 'true');
  });

  it('keep their rules where they are built in', async () => {
    api.refuse = (asked) => (asked.method === 'PUT' ? json(asked.body) : undefined);
    showPage('/roles/namespace/namespace-editor/edit');
    expect(await screen.findByText(/The role is built in/)).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Add a rule' })).not.toBeInTheDocument();
    const user = userEvent.setup();
    await user.click(screen.getByRole('checkbox', { name: 'Locked' }));
    await user.click(screen.getByRole('button', { name: 'Save' }));
    const path = `${ROLES}/namespace-editor`;
    await waitFor(() => expect(api.requests('PUT', path)).toHaveLength(1));
    expect(api.requests('PUT', path)[0]?.body).toMatchObject({
      spec: { displayName: 'Editor', builtin: true, locked: true },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'create'] }],
    });
  });
});

describe('the rule editor', () => {
  const rule = async (number: number) =>
    within(await screen.findByRole('group', { name: `Rule ${number}` }));

  it('makes a role of what is served', async () => {
    const { container } = showPage('/roles/new/namespace');
    const user = userEvent.setup();
    await user.type(await screen.findByRole('textbox', { name: /^Name/ }), 'notebook-reader');
    await user.click(screen.getByRole('button', { name: 'Add a rule' }));
    const first = await rule(1);
    expect(screen.getByRole('button', { name: 'Create' })).toBeDisabled();
    await user.click(first.getByRole('combobox', { name: /API groups/ }));
    expect(screen.queryByRole('option', { name: 'nodes' })).not.toBeInTheDocument();
    await user.click(await screen.findByRole('option', { name: 'ml.llmos.ai' }));
    await user.keyboard('{Escape}');
    await user.click(first.getByRole('combobox', { name: /Resources/ }));
    expect(screen.queryByRole('option', { name: 'pods' })).not.toBeInTheDocument();
    await user.click(await screen.findByRole('option', { name: 'notebooks' }));
    await user.keyboard('{Escape}');
    await user.click(first.getByRole('checkbox', { name: 'create' }));
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Create' }));
    await waitFor(() => expect(api.requests('POST', ROLES)).toHaveLength(1));
    expect(api.requests('POST', ROLES)[0]?.body).toMatchObject({
      kind: 'RoleTemplate',
      metadata: { name: 'notebook-reader' },
      rules: [
        {
          apiGroups: ['ml.llmos.ai'],
          resources: ['notebooks'],
          verbs: ['get', 'list', 'watch', 'create'],
        },
      ],
    });
  });

  it('writes the core group as the API does', async () => {
    showPage('/roles/new/namespace');
    const user = userEvent.setup();
    await user.type(await screen.findByRole('textbox', { name: /^Name/ }), 'pods');
    await user.click(screen.getByRole('button', { name: 'Add a rule' }));
    const first = await rule(1);
    await user.click(first.getByRole('combobox', { name: /API groups/ }));
    await user.click(await screen.findByRole('option', { name: 'core' }));
    await user.keyboard('{Escape}');
    await user.click(first.getByRole('combobox', { name: /Resources/ }));
    await user.click(await screen.findByRole('option', { name: 'pods/log' }));
    await user.keyboard('{Escape}');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    await waitFor(() => expect(api.requests('POST', ROLES)).toHaveLength(1));
    expect(api.requests('POST', ROLES)[0]?.body).toMatchObject({
      rules: [{ apiGroups: [''], resources: ['pods/log'] }],
    });
  });

  it('removes the rule that is meant, and keeps the others as they were', async () => {
    api.refuse = (asked) => (asked.method === 'PUT' ? json(asked.body) : undefined);
    showPage('/roles/namespace/watcher/edit');
    await rule(2);
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Remove rule 1' }));
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(api.requests('PUT', `${ROLES}/watcher`)).toHaveLength(1));
    const sent = api.requests('PUT', `${ROLES}/watcher`)[0]?.body as { rules: unknown };
    expect(sent.rules).toEqual([
      { apiGroups: ['ml.llmos.ai'], resources: ['notebooks'], verbs: ['get', 'list'] },
    ]);
  });

  it('begins a copy with the rules of the other', async () => {
    showPage('/roles/new/namespace?from=watcher');
    await rule(2);
    const user = userEvent.setup();
    await user.type(screen.getByRole('textbox', { name: /^Name/ }), 'mine');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    await waitFor(() => expect(api.requests('POST', ROLES)).toHaveLength(1));
    expect(api.requests('POST', ROLES)[0]?.body).toMatchObject({
      metadata: { name: 'mine' },
      rules: [{ resourceNames: ['one'] }, { resources: ['notebooks'] }],
    });
  });

  it('has rules for URLs in the whole cluster alone', async () => {
    showPage('/roles/new/global');
    const url = await screen.findByRole('button', { name: 'Add a rule for URLs' });
    await userEvent.setup().click(url);
    expect((await rule(1)).getByRole('combobox', { name: /URLs/ })).toBeInTheDocument();
  });
});

describe('settings', () => {
  const PATH = '/apis/management.llmos.ai/v1/settings/session-lifetime';

  beforeEach(() => {
    api.put(SETTINGS, { metadata: { name: 'session-lifetime' }, default: '7d' } as never);
    api.refuse = (asked) =>
      asked.method === 'PATCH'
        ? json({ metadata: { name: 'session-lifetime', resourceVersion: '9' }, value: '1d' })
        : undefined;
  });

  it('show what counts, and are changed', async () => {
    const { container } = showPage('/settings');
    const row = (await screen.findByText('session-lifetime')).closest('tr');
    expect(row).toHaveTextContent('7d');
    expect(row).toHaveTextContent('Default');
    await expectAccessible(container);
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Change session-lifetime' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByRole('textbox', { name: 'Value' }), '1d');
    await user.click(within(dialog).getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(api.requests('PATCH', PATH)).toHaveLength(1));
    expect(api.requests('PATCH', PATH)[0]?.body).toMatchObject({ value: '1d', customized: true });
  });

  it('are read only for whoever may not', async () => {
    api.allowed = () => false;
    showPage('/settings');
    await screen.findByText('session-lifetime');
    expect(await screen.findByText('Only administrators change settings.')).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Change session-lifetime' })).toBeDisabled();
  });
});
