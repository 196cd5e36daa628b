import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { forgetDiscovery } from '../../src/api/discovery';
import {
  CONFIG_MAPS,
  EVENTS,
  NAMESPACES,
  NODES,
  NOTEBOOKS,
  PODS,
  ROLE_TEMPLATE_BINDINGS,
  SECRETS,
  type Resource,
} from '../../src/api/resources';
import { FakeApi, json, status } from '../support/fakeApi';
import { expectAccessible, showPage } from '../support/page';

let api: FakeApi;

const DEPLOYMENTS: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};

const notebook = (name: string, namespace: string, replicas = 1, more: object = {}) => ({
  metadata: { name, namespace },
  spec: {
    replicas,
    template: {
      spec: {
        containers: [{ name: 'n', image: 'jupyter:1', resources: { limits: { cpu: '2' } } }],
      },
    },
  },
  ...more,
});

beforeEach(() => {
  forgetDiscovery();
  api = new FakeApi().install();
  api.serve(CONFIG_MAPS, EVENTS, NODES, NOTEBOOKS, PODS, SECRETS, DEPLOYMENTS);
  api.put(
    NAMESPACES,
    { metadata: { name: 'team-a' } },
    { metadata: { name: 'team-b' } },
    { metadata: { name: 'default' } },
  );
  api.put(
    NOTEBOOKS,
    notebook('first', 'team-a', 1, { status: { readyReplicas: 1 } }),
    notebook('second', 'team-b', 0),
  );
  api.put(SECRETS, {
    metadata: {
      name: 'key',
      namespace: 'team-a',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'czNjcmV0' },
    },
    type: 'Opaque',
    data: { token: btoa('s3cret') },
  } as never);
});

const LIST = '/resources/notebooks.ml.llmos.ai';

describe('a list of a kind', () => {
  it('shows its objects and how they are', async () => {
    const { container } = showPage(LIST);
    const first = (await screen.findByText('first')).closest('tr');
    expect(first).toHaveTextContent('Running');
    expect(first).toHaveTextContent('team-a');
    expect(first).toHaveTextContent('jupyter:1');
    expect((await screen.findByText('second')).closest('tr')).toHaveTextContent('Stopped');
    await expectAccessible(container);
  });

  it('obeys the namespaces that are chosen', async () => {
    showPage(`${LIST}?ns=team-b`);
    expect(await screen.findByText('second')).toBeInTheDocument();
    expect(screen.queryByText('first')).not.toBeInTheDocument();
    const path = '/apis/ml.llmos.ai/v1/namespaces/team-b/notebooks';
    expect(api.requests('GET', path)).toHaveLength(1);
  });

  it('shows several namespaces together', async () => {
    api.put(NOTEBOOKS, notebook('third', 'team-c'));
    showPage(`${LIST}?ns=team-a,team-b`);
    expect(await screen.findByText('first')).toBeInTheDocument();
    expect(screen.getByText('second')).toBeInTheDocument();
    expect(screen.queryByText('third')).not.toBeInTheDocument();
  });

  it('follows what others do', async () => {
    showPage(`${LIST}?ns=team-a`);
    await screen.findByText('first');
    api.put(NOTEBOOKS, notebook('new', 'team-a'));
    expect(await screen.findByText('new')).toBeInTheDocument();
    api.remove(NOTEBOOKS, 'first', 'team-a');
    await waitFor(() => expect(screen.queryByText('first')).not.toBeInTheDocument());
  });

  it('teaches where there is nothing', async () => {
    api.collections.clear();
    showPage(LIST);
    expect(await screen.findByText(/A notebook runs in a namespace/)).toBeInTheDocument();
  });

  it('says plainly that nodes are in no namespace', async () => {
    api.put(NODES, { metadata: { name: 'node-1' } });
    showPage('/resources/nodes?ns=team-a');
    expect(await screen.findByText('node-1')).toBeInTheDocument();
    expect(screen.getByText('Cluster-wide')).toBeInTheDocument();
    expect(screen.queryByRole('columnheader', { name: 'Namespace' })).not.toBeInTheDocument();
  });

  it('does not even ask for what one may not see', async () => {
    api.allowed = (attributes) => attributes.resource !== 'secrets';
    showPage('/resources/secrets?ns=team-a');
    expect(await screen.findByText('You may not see this: Secrets')).toBeInTheDocument();
    expect(api.requests('GET', '/api/v1/namespaces/team-a/secrets')).toHaveLength(0);
  });

  it('is shown within seconds of the right to see it, with what else came with it', async () => {
    let member = false;
    api.allowed = () => member;
    api.put(SECRETS, { metadata: { name: 'login', namespace: 'team-a' } });
    showPage('/resources/secrets?ns=team-a');
    expect(await screen.findByText('You may not see this: Secrets')).toBeInTheDocument();
    const refused = await screen.findByRole('button', { name: 'Create Secret' });
    await waitFor(() => expect(refused).toHaveAttribute('aria-disabled'));
    member = true;
    expect(await screen.findByText('login', {}, { timeout: 5_000 })).toBeInTheDocument();
    expect(await screen.findByRole('link', { name: 'Create Secret' })).toBeInTheDocument();
  });

  it('follows a membership that changes', async () => {
    let editor = false;
    api.allowed = (attributes) => editor || attributes.verb !== 'create';
    showPage(`${LIST}?ns=team-a`);
    const refused = await screen.findByRole('button', { name: 'Create Notebook' });
    await waitFor(() => expect(refused).toHaveAttribute('aria-disabled'));
    editor = true;
    api.put(ROLE_TEMPLATE_BINDINGS, { metadata: { name: 'mine' } });
    const create = { name: 'Create Notebook' };
    expect(await screen.findByRole('link', create, { timeout: 2_000 })).toBeInTheDocument();
  });

  it('says what the server says when it refuses', async () => {
    api.first = (asked) =>
      asked.path.endsWith('/secrets') ? status(403, 'Forbidden', 'no secrets for you') : undefined;
    showPage('/resources/secrets?ns=team-a');
    expect(await screen.findByRole('alert')).toHaveTextContent('no secrets for you');
  });

  it('offers no creation to whoever may not', async () => {
    api.allowed = (attributes) => attributes.verb !== 'create';
    showPage(`${LIST}?ns=team-a`);
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Create Notebook' })).toHaveAttribute(
        'aria-disabled',
        'true',
      ),
    );
  });

  it('knows every kind that is served, and no other', async () => {
    api.put(DEPLOYMENTS, { metadata: { name: 'web', namespace: 'team-a' } });
    showPage('/resources/deployments.apps');
    expect(await screen.findByText('web')).toBeInTheDocument();
    expect(screen.getByRole('heading', { name: 'Deployment' })).toBeInTheDocument();
  });

  it('has no page for what is not served', async () => {
    showPage('/resources/gadgets.example.com');
    expect(await screen.findByText('There is no such page')).toBeInTheDocument();
  });

  it('deletes what was chosen after it asked', async () => {
    api.first = (asked) => (asked.method === 'DELETE' ? json({}) : undefined);
    showPage(LIST);
    await screen.findByText('first');
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Actions for first' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Delete' }));
    const dialog = await screen.findByRole('dialog');
    expect(dialog).toHaveTextContent('Delete Notebook “first”?');
    await user.click(within(dialog).getByRole('button', { name: 'Delete' }));
    const path = '/apis/ml.llmos.ai/v1/namespaces/team-a/notebooks/first';
    await waitFor(() => expect(api.requests('DELETE', path)).toHaveLength(1));
  });
});

describe('the page of an object', () => {
  it('shows it, and is accessible', async () => {
    const { container } = showPage(`${LIST}/team-a/first`);
    expect(await screen.findByRole('heading', { name: 'first', level: 1 })).toBeInTheDocument();
    expect(await screen.findByText('2 CPU')).toBeInTheDocument();
    await expectAccessible(container);
  });

  it('hides the values of a Secret until somebody asks', async () => {
    const { container } = showPage('/resources/secrets/team-a/key');
    await screen.findByRole('heading', { name: 'token' });
    const whole = () => new XMLSerializer().serializeToString(container);
    expect(whole()).not.toContain('s3cret');
    expect(whole()).not.toContain(btoa('s3cret'));
    expect(whole()).not.toContain('czNjcmV0');
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Show the value of token' }));
    expect(screen.getByText('s3cret')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Hide values' }));
    expect(screen.queryByText('s3cret')).not.toBeInTheDocument();
  });

  it('says that somebody deleted it', async () => {
    showPage(`${LIST}/team-a/first`);
    await screen.findByText('2 CPU');
    api.remove(NOTEBOOKS, 'first', 'team-a');
    expect(await screen.findByText('“first” was deleted')).toBeInTheDocument();
  });

  it('gets what may not be listed', async () => {
    const refused = '/api/v1/namespaces/team-a/configmaps';
    api.first = (asked) => {
      if (asked.path === refused) return status(403, 'Forbidden', 'not the list');
      if (asked.path !== `${refused}/one`) return undefined;
      return json({ metadata: { name: 'one', namespace: 'team-a' }, data: { motd: 'hello' } });
    };
    showPage('/resources/configmaps/team-a/one');
    expect(await screen.findByText('hello')).toBeInTheDocument();
  });

  it('has the events about it, and no others', async () => {
    const event = (name: string, uid: string, message: string) => ({
      metadata: { name, namespace: 'team-a' },
      involvedObject: { kind: 'Notebook', name: 'first', uid },
      message,
    });
    api.put(
      EVENTS,
      event('e1', 'uid-team-a-first', 'it began'),
      event('e2', 'uid-other', 'something else'),
    );
    showPage(`${LIST}/team-a/first?tab=events`);
    expect(await screen.findByText('it began')).toBeInTheDocument();
    expect(screen.queryByText('something else')).not.toBeInTheDocument();
  });

  it('changes what the form shows, and nothing else', async () => {
    api.first = (asked) => (asked.method === 'PUT' ? json(asked.body) : undefined);
    showPage(`${LIST}/team-a/first?tab=edit`);
    const image = await screen.findByRole('textbox', { name: /Image/ });
    const user = userEvent.setup();
    await user.clear(image);
    await user.type(image, 'jupyter:2');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    const path = '/apis/ml.llmos.ai/v1/namespaces/team-a/notebooks/first';
    await waitFor(() => expect(api.requests('PUT', path)).toHaveLength(1));
    const [sent] = api.requests('PUT', path);
    expect(sent?.body).toMatchObject({
      metadata: { name: 'first', namespace: 'team-a' },
      spec: {
        replicas: 1,
        template: {
          spec: { containers: [{ image: 'jupyter:2', resources: { limits: { cpu: '2' } } }] },
        },
      },
    });
  });

  it('warns when somebody else was faster', async () => {
    showPage(`${LIST}/team-a/first?tab=edit`);
    await screen.findByRole('textbox', { name: /Image/ });
    api.put(NOTEBOOKS, notebook('first', 'team-a', 3));
    const button = await screen.findByRole('button', { name: 'Load the newest' });
    await userEvent.setup().click(button);
    expect(screen.queryByRole('button', { name: 'Load the newest' })).not.toBeInTheDocument();
  });
});

describe('creating', () => {
  const typed = async (label: RegExp, text: string) => {
    const user = userEvent.setup();
    await user.type(await screen.findByRole('textbox', { name: label }), text);
  };

  it('sends what the form says', async () => {
    api.first = (asked) =>
      asked.method === 'POST' && asked.path.endsWith('/configmaps') ? json(asked.body) : undefined;
    const { container } = showPage('/create/configmaps?namespace=team-a');
    await typed(/Name/, 'settings');
    await expectAccessible(container);
    const user = userEvent.setup();
    const value = screen.getByRole('textbox', { name: 'Value' });
    await user.clear(value);
    await user.type(value, 'blue');
    await user.click(screen.getByRole('button', { name: 'Create' }));
    const path = '/api/v1/namespaces/team-a/configmaps';
    await waitFor(() => expect(api.requests('POST', path)).toHaveLength(1));
    expect(api.requests('POST', path)[0]?.body).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'team-a' },
      data: { key: 'blue' },
    });
  });

  it('encodes what a Secret holds', async () => {
    api.first = (asked) =>
      asked.method === 'POST' && asked.path.endsWith('/secrets') ? json(asked.body) : undefined;
    showPage('/create/secrets?namespace=team-a');
    await typed(/Name/, 'new');
    await typed(/Value/, 'pässwort');
    await userEvent.setup().click(screen.getByRole('button', { name: 'Create' }));
    const path = '/api/v1/namespaces/team-a/secrets';
    await waitFor(() => expect(api.requests('POST', path)).toHaveLength(1));
    const sent = api.requests('POST', path)[0]?.body as { data: Record<string, string> };
    const bytes = Uint8Array.from(atob(sent.data.key ?? ''), (each) => each.charCodeAt(0));
    expect(new TextDecoder().decode(bytes)).toBe('pässwort');
  });

  it('sees wrong names as they are typed', async () => {
    showPage('/create/configmaps?namespace=team-a');
    await typed(/Name/, 'Wrong');
    expect(screen.getByText(/Only lower-case letters/)).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Create' })).toBeDisabled();
  });

  it('warns of places that are not for production', async () => {
    showPage('/create/configmaps?namespace=default');
    expect(await screen.findByText(/“default” is not for production/)).toBeInTheDocument();
  });

  it('says where one may not', async () => {
    api.allowed = (attributes) => attributes.namespace !== 'team-a';
    showPage('/create/configmaps?namespace=team-a');
    expect(await screen.findByText(/You may not create this here/)).toBeInTheDocument();
  });

  it('says what the server says against it', async () => {
    api.first = (asked) =>
      asked.method === 'POST' && asked.path.endsWith('/configmaps')
        ? status(409, 'AlreadyExists', 'configmaps "settings" already exists')
        : undefined;
    showPage('/create/configmaps?namespace=team-a');
    await typed(/Name/, 'settings');
    await userEvent.setup().click(screen.getByRole('button', { name: 'Create' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('already exists');
  });
});
