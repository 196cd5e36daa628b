import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import {
  NAMESPACES,
  NOTEBOOKS,
  RESOURCE_QUOTAS,
  ROLE_TEMPLATE_BINDINGS,
} from '../../src/api/resources';
import { FakeApi, json, status } from '../support/fakeApi';
import { expectAccessible, showPage } from '../support/page';

let api: FakeApi;

const namespace = (name: string, description = '') => ({
  metadata: { name, annotations: { 'kubernetes.io/description': description } },
  status: { phase: 'Active' },
});

beforeEach(() => {
  api = new FakeApi().install();
  api.put(
    NAMESPACES,
    namespace('team-vision', 'Cameras and lidar'),
    namespace('team-audio', '\u202eevil'),
    namespace('llmos-public'),
    namespace('kube-system'),
  );
  api.put(ROLE_TEMPLATE_BINDINGS, {
    metadata: { name: 'b1' },
    roleTemplateRef: { kind: 'RoleTemplate', name: 'namespace-owner' },
    subjects: [{ kind: 'User', name: 'alice' }],
    namespaceId: 'team-vision',
  } as never);
  api.put(NOTEBOOKS, { metadata: { name: 'n1', namespace: 'team-vision' } });
  api.put(RESOURCE_QUOTAS, {
    metadata: { name: 'quota', namespace: 'team-vision' },
    status: { hard: { cpu: '10' }, used: { cpu: '9' } },
  } as never);
});

const row = async (name: string) => {
  const cell = await screen.findByText(name);
  const found = cell.closest('tr');
  if (!found) throw new Error('not in a table');
  return found;
};

describe('the page of namespaces', () => {
  it('shows what one wants to know of each', async () => {
    const { container } = showPage('/namespaces');
    const vision = await row('team-vision');
    await waitFor(() => expect(vision).toHaveTextContent('alice'));
    expect(vision).toHaveTextContent('Active');
    expect(vision).toHaveTextContent('Cameras and lidar');
    expect(vision).toHaveTextContent('1 notebook');
    expect(vision).toHaveTextContent('90%');
    expect(screen.queryByText('kube-system')).not.toBeInTheDocument();
    await expectAccessible(container);
  });

  it('keeps text that users wrote to itself', async () => {
    showPage('/namespaces');
    const audio = await row('team-audio');
    expect(within(audio).getByText('\u202eevil').tagName).toBe('BDI');
  });

  it('has the platform’s own on tabs of their own', async () => {
    showPage('/namespaces');
    await row('team-vision');
    const user = userEvent.setup();
    await user.click(screen.getByRole('tab', { name: /System/ }));
    expect(await screen.findByText('kube-system')).toBeInTheDocument();
    await user.click(screen.getByRole('tab', { name: /Public/ }));
    expect(await screen.findByText('llmos-public')).toBeInTheDocument();
  });

  it('has no tab for the system where one sees none of it', async () => {
    api.remove(NAMESPACES, 'kube-system');
    showPage('/namespaces');
    await row('team-vision');
    expect(screen.queryByRole('tab', { name: /System/ })).not.toBeInTheDocument();
  });

  it('follows what others do', async () => {
    showPage('/namespaces');
    await row('team-vision');
    api.put(NAMESPACES, namespace('team-new'));
    expect(await screen.findByText('team-new')).toBeInTheDocument();
    api.remove(NAMESPACES, 'team-vision');
    await waitFor(() => expect(screen.queryByText('team-vision')).not.toBeInTheDocument());
  });

  it('is filtered by any column', async () => {
    showPage('/namespaces');
    await row('team-vision');
    const user = userEvent.setup();
    await user.type(screen.getByRole('searchbox', { name: 'Filter' }), 'lidar');
    expect(screen.getByText('team-vision')).toBeInTheDocument();
    expect(screen.queryByText('team-audio')).not.toBeInTheDocument();
    await user.type(screen.getByRole('searchbox', { name: 'Filter' }), ' nothing');
    expect(screen.getByText(/Nothing matches/)).toBeInTheDocument();
  });

  it('deletes what was chosen, once its name is typed', async () => {
    api.first = (asked) => (asked.method === 'DELETE' ? json({}) : undefined);
    showPage('/namespaces');
    await row('team-vision');
    const user = userEvent.setup();
    await user.click(screen.getByRole('checkbox', { name: 'Select team-vision' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    const dialog = await screen.findByRole('dialog');
    const button = within(dialog).getByRole('button', { name: 'Delete' });
    expect(button).toBeDisabled();
    await user.type(within(dialog).getByRole('textbox'), 'team-vision');
    await user.click(button);
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    const [sent] = api.requests('DELETE', '/api/v1/namespaces/team-vision');
    expect(sent?.body).toMatchObject({ preconditions: { uid: 'uid--team-vision' } });
  });

  it('says what the server says when it refuses', async () => {
    api.first = (asked) =>
      asked.method === 'DELETE' ? status(403, 'Forbidden', 'not this one') : undefined;
    showPage('/namespaces');
    await row('team-vision');
    const user = userEvent.setup();
    await user.click(screen.getByRole('checkbox', { name: 'Select team-vision' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    const dialog = await screen.findByRole('dialog');
    await user.type(within(dialog).getByRole('textbox'), 'team-vision');
    await user.click(within(dialog).getByRole('button', { name: 'Delete' }));
    expect(await within(dialog).findByRole('alert')).toHaveTextContent('not this one');
  });

  it('offers no deletion to whoever may not', async () => {
    api.allowed = (attributes) => attributes.verb !== 'delete';
    showPage('/namespaces');
    await row('team-vision');
    const user = userEvent.setup();
    await user.click(screen.getByRole('checkbox', { name: 'Select team-vision' }));
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Delete' })).toHaveAttribute(
        'aria-disabled',
        'true',
      ),
    );
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  });

  it('teaches whoever has none', async () => {
    api.collections.clear();
    api.whoami = { user: { username: 'new', uid: 'u', groups: ['llmos:users'] }, csrfToken: 'x' };
    showPage('/namespaces');
    expect(await screen.findByText('You are not a member of a namespace yet')).toBeInTheDocument();
  });

  it('leaves when another window has signed out', async () => {
    showPage('/namespaces');
    await row('team-vision');
    // Without a cookie one is anonymous, and refused rather than unknown.
    api.first = (asked) =>
      asked.method === 'GET' && asked.path.startsWith('/api')
        ? status(403, 'Forbidden', 'anonymous')
        : undefined;
    api.refuseWatches = true;
    api.whoami = undefined;
    for (const socket of [...api.sockets]) socket.close();
    expect(await screen.findByLabelText('Username', {}, { timeout: 5000 })).toBeInTheDocument();
  });

  it('leaves as soon as the session has ended', async () => {
    showPage('/namespaces');
    await row('team-vision');
    api.whoami = undefined;
    document.dispatchEvent(new Event('visibilitychange'));
    expect(await screen.findByLabelText('Username')).toBeInTheDocument();
    expect(screen.queryByText('team-vision')).not.toBeInTheDocument();
  });
});
