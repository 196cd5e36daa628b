/** Users, their roles and their passwords, as `llmos user` knows them too. */

import { request } from '../api/client';
import type { Condition, KubeObject } from '../api/objects';
import {
  createObject,
  deleteObject,
  mergePatch,
  ROLE_TEMPLATE_BINDINGS,
  USERS,
} from '../api/resources';
import {
  bindingName,
  NotInForceError,
  removeSubject,
  settled,
  whyNotInForce,
  type RoleTemplateBinding,
} from './members';

export interface User extends KubeObject {
  spec?: {
    username?: string;
    displayName?: string;
    description?: string;
    email?: string;
    groups?: string[];
    isActive?: boolean;
  };
  status?: { isActive?: boolean; isAdmin?: boolean; conditions?: Condition[] };
}

export const ADMIN_ROLE = 'admin';
/** Groups that every user is in. */
const EVERYBODY: readonly string[] = ['llmos:users', 'system:authenticated'];

export function usernameOf(user: User): string {
  return user.spec?.username ?? user.metadata.name;
}

export function isActive(user: User): boolean {
  return user.status?.isActive ?? user.spec?.isActive ?? true;
}

/** One role of a user, and why he has it. */
export interface Grant {
  binding: RoleTemplateBinding;
  role: string;
  /** undefined: in the whole cluster. */
  namespace: string | undefined;
  /** The group by which he has it; undefined: it was given to him himself. */
  group: string | undefined;
}

/** The bindings by whom they are about, read once for all users. */
export class Grants {
  readonly #users = new Map<string, Grant[]>();
  readonly #groups = new Map<string, Grant[]>();

  constructor(bindings: readonly RoleTemplateBinding[]) {
    for (const binding of bindings) {
      const { kind, name: role } = binding.roleTemplateRef;
      const namespace = kind === 'GlobalRole' ? undefined : binding.namespaceId;
      for (const subject of binding.subjects ?? []) {
        const group = subject.kind === 'Group' ? subject.name : undefined;
        const map = group === undefined ? this.#users : this.#groups;
        const list = map.get(subject.name);
        const grant = { binding, role, namespace, group };
        if (list) list.push(grant);
        else map.set(subject.name, [grant]);
      }
    }
  }

  /** All that a user was given, himself and by his groups. */
  of(user: User): Grant[] {
    const groups = [...(user.spec?.groups ?? []), ...EVERYBODY];
    return [
      ...(this.#users.get(user.metadata.name) ?? []),
      ...groups.flatMap((each) => this.#groups.get(each) ?? []),
    ];
  }
}

export interface NewUser {
  name: string;
  displayName: string;
  email: string;
  description: string;
  groups: readonly string[];
  globalRoles: readonly string[];
}

function specOf(wanted: NewUser): NonNullable<User['spec']> {
  const { name, displayName, email, description, groups } = wanted;
  return {
    username: name,
    isActive: true,
    ...(displayName && { displayName }),
    ...(email && { email }),
    ...(description && { description }),
    ...(groups.length > 0 && { groups: [...groups] }),
  };
}

/** Gives a user a role in the whole cluster, and waits until it is in force. */
export async function giveGlobalRole(user: string, role: string): Promise<void> {
  const member = { kind: 'User' as const, name: user };
  const name = await bindingName(role, { member, template: role });
  const made = await createObject<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS, {
    metadata: { name },
    roleTemplateRef: { apiGroup: 'management.llmos.ai', kind: 'GlobalRole', name: role },
    subjects: [member],
  });
  const found = await settled(made);
  const why = whyNotInForce(found);
  if (!why) return;
  await deleteObject(ROLE_TEMPLATE_BINDINGS, found);
  throw new NotInForceError(why);
}

/** Takes a user out of every binding that gives him a role in the whole cluster. */
export async function takeGlobalRole(
  user: string,
  role: string,
  grants: readonly Grant[],
): Promise<void> {
  for (const { binding, namespace, group, role: given } of grants) {
    if (namespace !== undefined || group !== undefined || given !== role) continue;
    await removeSubject(binding, { kind: 'User', name: user });
  }
}

/** Makes a one-time password, with which the user signs in and chooses his own. */
export async function resetPassword(user: string): Promise<string> {
  const path = `/auth/users/${encodeURIComponent(user)}/password`;
  const answer = await request<{ oneTimePassword: string }>('PUT', path, { body: {} });
  return answer.oneTimePassword;
}

/** The user was made, and could neither be finished nor taken back. */
export class LeftoverUserError extends Error {
  override readonly name = 'LeftoverUserError';
}

/** Creates a user with his roles, or nobody; gives the one-time password. */
export async function createUser(wanted: NewUser): Promise<string> {
  const { name } = wanted;
  const made = await createObject<User>(USERS, { metadata: { name }, spec: specOf(wanted) });
  try {
    for (const role of wanted.globalRoles) await giveGlobalRole(name, role);
    return await resetPassword(name);
  } catch (error) {
    try {
      await deleteObject(USERS, made);
    } catch {
      throw new LeftoverUserError(name, { cause: error });
    }
    throw error;
  }
}

export function setActive(user: User, active: boolean): Promise<User> {
  return mergePatch<User>(USERS, user, { spec: { isActive: active } });
}

export interface Profile {
  displayName: string;
  email: string;
  description: string;
  groups: readonly string[];
}

export function profileOf(user: User): Profile {
  const { displayName = '', email = '', description = '', groups = [] } = user.spec ?? {};
  return { displayName, email, description, groups };
}

/** Changes what is said about a user; somebody else's change in between is not lost (409). */
export function setProfile(user: User, profile: Profile): Promise<User> {
  const { displayName, email, description, groups } = profile;
  return mergePatch<User>(USERS, user, {
    metadata: { resourceVersion: user.metadata.resourceVersion },
    spec: {
      displayName: displayName || null,
      email: email || null,
      description: description || null,
      groups: groups.length > 0 ? groups : null,
    },
  });
}

export type UsernameProblem = 'characters' | 'ends' | 'tooLong' | 'taken';

/** What is wrong with the name of a new user: it is the name of an object too. */
export function usernameProblem(
  name: string,
  taken: ReadonlyMap<string, unknown>,
): UsernameProblem | undefined {
  if (name === '') return undefined;
  if (/[^a-z0-9.-]/.test(name)) return 'characters';
  if (!/^[a-z0-9]/.test(name) || !/[a-z0-9]$/.test(name)) return 'ends';
  if (name.length > 63) return 'tooLong';
  return taken.has(name) ? 'taken' : undefined;
}

export function groupProblem(group: string): boolean {
  return !/^[A-Za-z0-9]([-A-Za-z0-9_.@/]*[A-Za-z0-9])?$/.test(group) || group.length > 128;
}
