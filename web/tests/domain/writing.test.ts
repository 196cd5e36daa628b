import { beforeEach, describe, expect, it } from 'vitest';

import { NAMESPACES, RESOURCE_QUOTAS, ROLE_TEMPLATE_BINDINGS } from '../../src/api/resources';
import { difference, saveNamespace } from '../../src/domain/editNamespace';
import { membersIn, mainRole } from '../../src/domain/memberRows';
import { NotInForceError, removeMember, setRole } from '../../src/domain/members';
import {
  carryOut,
  CreationError,
  planFromYaml,
  planOf,
  yamlOf,
  type Draft,
} from '../../src/domain/newNamespace';
import { wordsOf } from '../../src/domain/ruleWords';
import { status } from '../support/fakeApi';
import { StoringApi } from '../support/storingApi';

const BINDINGS = '/apis/management.llmos.ai/v1/roletemplatebindings';
let api: StoringApi;

const draft: Draft = {
  name: 'team-a',
  description: ' Vision ',
  members: [
    { member: { kind: 'User', name: 'alice' }, template: 'namespace-owner' },
    { member: { kind: 'Group', name: 'vision' }, template: 'namespace-readonly' },
  ],
  quota: new Map([['requests.cpu', '4']]),
  labels: new Map([['team', 'a']]),
  annotations: new Map(),
};

beforeEach(() => {
  api = new StoringApi();
  api.install();
});

describe('creating a namespace', () => {
  it('makes its quota and its members with it', async () => {
    const { namespace, pending } = await carryOut(await planOf(draft));
    expect(namespace.metadata.annotations).toEqual({ 'kubernetes.io/description': 'Vision' });
    expect(pending).toEqual([]);
    expect(api.names(NAMESPACES)).toEqual(['team-a']);
    expect(api.names(RESOURCE_QUOTAS, 'team-a')).toEqual(['namespace-quota']);
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toHaveLength(2);
  });

  it('leaves nothing when a member is refused, and says what was', async () => {
    api.refuse = (asked) =>
      asked.method === 'POST' && JSON.stringify(asked.body).includes('vision')
        ? status(403, 'Forbidden', 'not this group')
        : undefined;
    const error = await carryOut(await planOf(draft)).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(CreationError);
    expect(error).toMatchObject({ left: false, message: 'not this group' });
    expect((error as CreationError).what).toContain('vision');
    expect(api.names(NAMESPACES)).toEqual([]);
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual([]);
  });

  it('says so when something is left', async () => {
    api.refuse = (asked) => {
      if (asked.method === 'DELETE') return status(500, 'InternalError', 'oh');
      return asked.path.includes('resourcequotas') ? status(422, 'Invalid', 'no') : undefined;
    };
    await expect(carryOut(await planOf(draft))).rejects.toMatchObject({ left: true });
  });

  it('does not touch a namespace that was there before', async () => {
    api.put(NAMESPACES, { metadata: { name: 'team-a' } });
    await expect(carryOut(await planOf(draft))).rejects.toMatchObject({ reason: 'AlreadyExists' });
    expect(api.names(NAMESPACES)).toEqual(['team-a']);
    expect(api.requests('DELETE', '/api/v1/namespaces/team-a')).toEqual([]);
  });

  it('puts what an earlier namespace of the name left out of the way', async () => {
    const plan = await planOf(draft);
    const [first] = plan.bindings;
    api.put(ROLE_TEMPLATE_BINDINGS, structuredClone(first) as never);
    const old = api.object(ROLE_TEMPLATE_BINDINGS, first?.metadata.name ?? '').metadata.uid;
    api.inForce = (each) => each.metadata.uid !== old;
    await carryOut(plan);
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toHaveLength(2);
  });

  it('reads what it writes', async () => {
    const plan = await planOf(draft);
    const read = await planFromYaml(await yamlOf(plan));
    expect(read.namespace).toMatchObject(plan.namespace);
    expect(read.quotas).toHaveLength(1);
    expect(read.bindings).toHaveLength(2);
  });

  it.each([
    ['kind: Pod\nmetadata: {name: x}', 'Pod'],
    [
      'kind: Namespace\nmetadata: {name: a}\n---\nkind: Namespace\nmetadata: {name: b}',
      'Namespace',
    ],
    [
      'kind: Namespace\nmetadata: {name: a}\n---\nkind: ResourceQuota\nmetadata: {name: q, namespace: kube-system}',
      'metadata.namespace',
    ],
    [
      'kind: Namespace\nmetadata: {name: a}\n---\nkind: RoleTemplateBinding\nnamespaceId: b',
      'namespaceId',
    ],
    ['a: [', 'flow'],
  ])('takes no other YAML: %s', async (text, why) => {
    await expect(planFromYaml(text)).rejects.toThrow(new RegExp(why, 'i'));
  });
});

describe('editing a namespace', () => {
  it('writes what differs', () => {
    expect(difference({ a: '1', b: '2' }, new Map([['a', '1']]))).toEqual({ b: null });
    expect(difference({ a: '1' }, new Map([['a', '1']]))).toBeUndefined();
    expect(difference(undefined, new Map([['constructor', 'x']]))).toEqual({ constructor: 'x' });
  });

  it('asks that nobody was faster', async () => {
    api.put(NAMESPACES, { metadata: { name: 'team-a', labels: { x: '1' } } });
    const namespace = api.object(NAMESPACES, 'team-a');
    await saveNamespace(
      { namespace, quota: undefined },
      { description: 'New', labels: new Map(), annotations: new Map() },
    );
    const [sent] = api.requests('PATCH', '/api/v1/namespaces/team-a');
    expect(sent?.body).toEqual({
      metadata: {
        resourceVersion: namespace.metadata.resourceVersion,
        labels: { x: null },
        annotations: { 'kubernetes.io/description': 'New' },
      },
    });
    expect(sent?.headers.get('content-type')).toBe('application/merge-patch+json');
  });
});

describe('members', () => {
  const binding = (name: string, template: string, subjects: string[]) =>
    ({
      metadata: { name, creationTimestamp: `2026-01-0${name.length}T00:00:00Z` },
      roleTemplateRef: { kind: 'RoleTemplate', name: template },
      subjects: subjects.map((each) => ({ kind: 'User', name: each })),
      namespaceId: 'team-a',
    }) as never;

  it('get their new role before the old one ends', async () => {
    api.put(ROLE_TEMPLATE_BINDINGS, binding('b', 'namespace-owner', ['alice']));
    await setRole('team-a', {
      member: { kind: 'User', name: 'alice' },
      template: 'namespace-readonly',
    });
    const changes = api.asked
      .filter((each) => each.method === 'POST' || each.method === 'DELETE')
      .map((each) => each.method);
    expect(changes).toEqual(['POST', 'DELETE']);
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual([expect.stringContaining('team-a-alice-')]);
  });

  it('keep their old role when the new one is not in force', async () => {
    api.put(ROLE_TEMPLATE_BINDINGS, binding('b', 'namespace-owner', ['alice']));
    api.inForce = () => false;
    await expect(
      setRole('team-a', { member: { kind: 'User', name: 'alice' }, template: 'custom' }),
    ).rejects.toBeInstanceOf(NotInForceError);
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual(['b']);
  });

  it('go alone from a binding that names others', async () => {
    api.put(ROLE_TEMPLATE_BINDINGS, binding('b', 'namespace-editor', ['alice', 'bob']));
    await removeMember('team-a', { kind: 'User', name: 'alice' });
    const [sent] = api.requests('PATCH', `${BINDINGS}/b`);
    expect(sent?.body).toMatchObject({ subjects: [{ kind: 'User', name: 'bob' }] });
    await removeMember('team-a', { kind: 'User', name: 'bob' });
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual([]);
  });

  it('are shown once, with the role that counts most', () => {
    const members = membersIn([
      binding('bb', 'namespace-owner', ['alice']),
      binding('b', 'namespace-readonly', ['alice', 'bob']),
    ]);
    expect(members.map((each) => [each.subject.name, mainRole(each)])).toEqual([
      ['alice', 'namespace-owner'],
      ['bob', 'namespace-readonly'],
    ]);
  });
});

it('says rules in words, the most first, each resource once', () => {
  expect(
    wordsOf([
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'secrets'] },
      { verbs: ['create', 'get'], apiGroups: ['apps'], resources: ['deployments'] },
      { verbs: ['*'], apiGroups: [''], resources: ['secrets'] },
      { verbs: ['bind'], apiGroups: ['x.io'], resources: ['roles'] },
    ]),
  ).toEqual([
    { deed: 'everything', resources: ['secrets'] },
    { deed: 'change', resources: ['deployments.apps'] },
    { deed: 'read', resources: ['pods'] },
    { deed: 'call', resources: ['roles.x.io'] },
  ]);
});
