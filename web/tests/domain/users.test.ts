import { beforeEach, describe, expect, it } from 'vitest';

import { GLOBAL_ROLES, ROLE_TEMPLATE_BINDINGS, USERS } from '../../src/api/resources';
import { NotInForceError, type RoleTemplateBinding } from '../../src/domain/members';
import {
  createUser,
  Grants,
  groupProblem,
  LeftoverUserError,
  usernameProblem,
  type NewUser,
} from '../../src/domain/users';
import { json, status } from '../support/fakeApi';
import { StoringApi } from '../support/storingApi';

const wanted: NewUser = {
  name: 'alice',
  displayName: 'Alice',
  email: '',
  description: '',
  groups: ['vision'],
  globalRoles: ['admin'],
};

let api: StoringApi;

beforeEach(() => {
  api = new StoringApi();
  api.install();
  api.put(GLOBAL_ROLES, { metadata: { name: 'admin' } });
  api.refuse = (asked) =>
    asked.path.endsWith('/password') ? json({ oneTimePassword: 'once-only' }) : undefined;
});

describe('creating a user', () => {
  it('makes the user, his roles and his password', async () => {
    expect(await createUser(wanted)).toBe('once-only');
    expect(api.object(USERS, 'alice')).toMatchObject({
      spec: { username: 'alice', isActive: true, displayName: 'Alice', groups: ['vision'] },
    });
    const [binding] = api.names(ROLE_TEMPLATE_BINDINGS);
    expect(api.object(ROLE_TEMPLATE_BINDINGS, binding ?? '')).toMatchObject({
      roleTemplateRef: { kind: 'GlobalRole', name: 'admin' },
      subjects: [{ kind: 'User', name: 'alice' }],
    });
  });

  it('sends no password and no empty field', async () => {
    await createUser(wanted);
    const [sent] = api.requests('POST', '/apis/management.llmos.ai/v1/users');
    const { spec } = sent?.body as { spec: object };
    expect(Object.keys(spec).sort()).toEqual(['displayName', 'groups', 'isActive', 'username']);
  });

  it('leaves nobody where a role is refused', async () => {
    api.refuse = (asked) =>
      asked.method === 'POST' && asked.path.endsWith('/roletemplatebindings')
        ? status(403, 'Forbidden', 'not yours to give')
        : undefined;
    await expect(createUser(wanted)).rejects.toThrow('not yours to give');
    expect(api.names(USERS)).toEqual([]);
  });

  it('leaves nobody where a role does not come into force', async () => {
    api.inForce = () => false;
    await expect(createUser(wanted)).rejects.toThrow(NotInForceError);
    expect(api.names(USERS)).toEqual([]);
    expect(api.names(ROLE_TEMPLATE_BINDINGS)).toEqual([]);
  });

  it('leaves nobody where no password can be made', async () => {
    api.refuse = (asked) =>
      asked.path.endsWith('/password') ? status(403, 'Forbidden', 'no passwords') : undefined;
    await expect(createUser(wanted)).rejects.toThrow('no passwords');
    expect(api.names(USERS)).toEqual([]);
  });

  it('says who is left where he cannot be taken back', async () => {
    api.refuse = (asked) =>
      asked.path.endsWith('/password') || asked.method === 'DELETE'
        ? status(403, 'Forbidden', 'no')
        : undefined;
    await expect(createUser(wanted)).rejects.toThrow(LeftoverUserError);
  });
});

describe('what a user was given', () => {
  const binding = (
    name: string,
    subject: { kind: 'User' | 'Group'; name: string },
    role: string,
    namespaceId?: string,
  ): RoleTemplateBinding => ({
    metadata: { name },
    roleTemplateRef: { kind: namespaceId ? 'RoleTemplate' : 'GlobalRole', name: role },
    subjects: [subject],
    ...(namespaceId !== undefined && { namespaceId }),
  });

  it('is his own, and that of his groups', () => {
    const grants = new Grants([
      binding('b1', { kind: 'User', name: 'alice' }, 'admin'),
      binding('b2', { kind: 'Group', name: 'vision' }, 'namespace-editor', 'team-a'),
      binding('b3', { kind: 'Group', name: 'alice' }, 'namespace-owner', 'team-b'),
      binding('b4', { kind: 'User', name: 'vision' }, 'namespace-owner', 'team-c'),
      binding('b5', { kind: 'Group', name: 'llmos:users' }, 'viewer'),
    ]);
    const found = grants.of({ metadata: { name: 'alice' }, spec: { groups: ['vision'] } });
    expect(found.map((each) => [each.role, each.namespace, each.group])).toEqual([
      ['admin', undefined, undefined],
      ['namespace-editor', 'team-a', 'vision'],
      ['viewer', undefined, 'llmos:users'],
    ]);
  });
});

describe('names', () => {
  it.each([
    ['', undefined],
    ['alice', undefined],
    ['a.b-c', undefined],
    ['Alice', 'characters'],
    ['-a', 'ends'],
    ['a'.repeat(64), 'tooLong'],
    ['bob', 'taken'],
  ])('of users: %s is %s', (name, problem) => {
    expect(usernameProblem(name, new Map([['bob', 1]]))).toBe(problem);
  });

  it.each([
    ['vision', false],
    ['a/b.c@d_e-f', false],
    ['-a', true],
    ['a b', true],
    ['', true],
    ['a'.repeat(129), true],
  ])('of groups: %s is wrong: %s', (name, wrong) => {
    expect(groupProblem(name)).toBe(wrong);
  });
});
