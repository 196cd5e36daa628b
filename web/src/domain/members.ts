/** Members of namespaces: the subjects of RoleTemplateBindings, as `llmos member` knows them too. */

import { ApiError, hasCode } from '../api/errors';
import { annotation, type Condition, type KubeObject } from '../api/objects';
import {
  createObject,
  deleteObject,
  getObject,
  listObjects,
  mergePatch,
  type Manifest,
  ROLE_TEMPLATE_BINDINGS,
} from '../api/resources';

export type SubjectKind = 'User' | 'Group';

export interface Subject {
  kind: SubjectKind;
  name: string;
}

export interface RoleTemplateBinding extends KubeObject {
  roleTemplateRef: { apiGroup?: string; kind: 'RoleTemplate' | 'GlobalRole'; name: string };
  subjects?: Subject[];
  namespaceId?: string;
  expiresAt?: string;
  status?: { conditions?: Condition[]; subjects?: { name: string; uid: string }[] };
}

export interface Membership {
  member: Subject;
  /** The name of a RoleTemplate. */
  template: string;
}

export const OWNER = 'namespace-owner';
export const EDITOR = 'namespace-editor';
export const READ_ONLY = 'namespace-readonly';
export const BUILTIN_TEMPLATES: readonly string[] = [OWNER, EDITOR, READ_ONLY];

const GRANTED_BY = 'llmos.ai/granted-by';
const ATTEMPTS = 5;
/** Pauses while a controller puts a binding into force, three seconds in all. */
const STEPS_MS = [20, 50, 100, 200, 400, 800, 1500];

/** One subject of one binding: a line in the list of members. */
export interface MemberRow {
  binding: RoleTemplateBinding;
  subject: Subject;
}

export function isSame(one: Subject, other: Subject): boolean {
  return one.kind === other.kind && one.name === other.name;
}

/** The bindings that give roles in namespaces, by namespace. */
export function byNamespace(
  bindings: readonly RoleTemplateBinding[],
): Map<string, RoleTemplateBinding[]> {
  const found = new Map<string, RoleTemplateBinding[]>();
  for (const each of bindings) {
    if (each.roleTemplateRef.kind !== 'RoleTemplate' || !each.namespaceId) continue;
    const list = found.get(each.namespaceId);
    if (list) list.push(each);
    else found.set(each.namespaceId, [each]);
  }
  return found;
}

export function rowsOf(bindings: readonly RoleTemplateBinding[]): MemberRow[] {
  return bindings.flatMap((binding) =>
    (binding.subjects ?? []).map((subject) => ({ binding, subject })),
  );
}

/** Who gave what a binding gives, as the server wrote it; empty: the platform. */
export function granterOf(binding: RoleTemplateBinding): string {
  return annotation(binding, GRANTED_BY) ?? '';
}

/** Why a binding gives nobody anything; empty: it is in force. */
export function whyNotInForce(binding: RoleTemplateBinding): string {
  const found = binding.status?.conditions?.find((each) => each.type === 'InForce');
  if (!found) return 'Pending';
  return found.status === 'True' ? '' : (found.reason ?? 'Unknown');
}

/** A readable name that is another one for every membership; the same as the command gives. */
export async function bindingName(namespace: string, membership: Membership): Promise<string> {
  const { member, template } = membership;
  const exact = [namespace, member.kind, member.name, template].join('\n');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(exact));
  const hash = [...new Uint8Array(digest).slice(0, 4)]
    .map((each) => each.toString(16).padStart(2, '0'))
    .join('');
  const readable = member.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return `${namespace}-${readable || member.kind.toLowerCase()}-${hash}`;
}

/** The binding of a membership. */
export async function newBinding(
  namespace: string,
  membership: Membership,
): Promise<Manifest<RoleTemplateBinding>> {
  const { member, template } = membership;
  return {
    metadata: { name: await bindingName(namespace, membership) },
    roleTemplateRef: { apiGroup: 'management.llmos.ai', kind: 'RoleTemplate', name: template },
    subjects: [member],
    namespaceId: namespace,
  };
}

/** Makes a binding; what an earlier namespace or user of this name left is put out of the way. */
export async function addBinding(
  wanted: Manifest<RoleTemplateBinding>,
): Promise<RoleTemplateBinding> {
  const create = () => createObject<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS, wanted);
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
    const { name = '' } = wanted.metadata;
    const old = await getObject<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS, name);
    const subjects = wanted.subjects ?? [];
    const has = subjects.every((each) => old.subjects?.some((subject) => isSame(subject, each)));
    if (has && !whyNotInForce(old)) throw error;
    await deleteObject(ROLE_TEMPLATE_BINDINGS, old, { sameVersion: true });
    return create();
  }
}

/** Gives somebody a role. */
export async function addMember(
  namespace: string,
  membership: Membership,
): Promise<RoleTemplateBinding> {
  return addBinding(await newBinding(namespace, membership));
}

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** The binding once it is in force, or as it is after three seconds. */
export async function settled(binding: RoleTemplateBinding): Promise<RoleTemplateBinding> {
  let found = binding;
  for (const pause of STEPS_MS) {
    found = await getObject<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS, found.metadata.name);
    if (!whyNotInForce(found)) return found;
    await sleep(pause);
  }
  return found;
}

/** A new role that does not come into force; the old one stays. */
export class NotInForceError extends Error {
  override readonly name = 'NotInForceError';
}

/** Gives a member another role, without a moment in which he has none. */
export async function setRole(namespace: string, membership: Membership): Promise<void> {
  const mine = await bindingsOf(namespace, membership.member);
  const fits = (each: RoleTemplateBinding) =>
    each.roleTemplateRef.name === membership.template && !whyNotInForce(each);
  const had = mine.find(fits);
  const next = await settled(had ?? (await addMember(namespace, membership)));
  const why = whyNotInForce(next);
  if (why) {
    if (!had) await deleteObject(ROLE_TEMPLATE_BINDINGS, next);
    throw new NotInForceError(why);
  }
  for (const each of ownersLast(mine)) {
    if (each.metadata.name !== next.metadata.name) await removeSubject(each, membership.member);
  }
}

/** Takes every role in a namespace from somebody. */
export async function removeMember(namespace: string, member: Subject): Promise<void> {
  for (const each of ownersLast(await bindingsOf(namespace, member))) {
    await removeSubject(each, member);
  }
}

async function bindingsOf(namespace: string, member: Subject): Promise<RoleTemplateBinding[]> {
  const all = await listObjects<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  const here = byNamespace(all.items).get(namespace) ?? [];
  return here.filter((each) => each.subjects?.some((subject) => isSame(subject, member)));
}

/** What gives the right to change members goes last: it may be one's own. */
function ownersLast(bindings: readonly RoleTemplateBinding[]): RoleTemplateBinding[] {
  const rank = (each: RoleTemplateBinding) => Number(each.roleTemplateRef.name === OWNER);
  return [...bindings].sort((one, other) => rank(one) - rank(other));
}

/** Takes somebody out of a binding, and deletes it when nobody is left; others' changes stay. */
export async function removeSubject(binding: RoleTemplateBinding, member: Subject): Promise<void> {
  let found = binding;
  for (let attempt = 1; ; attempt += 1) {
    const kept = (found.subjects ?? []).filter((each) => !isSame(each, member));
    try {
      if (kept.length === 0) {
        await deleteObject(ROLE_TEMPLATE_BINDINGS, found, { sameVersion: true });
      } else {
        const { resourceVersion } = found.metadata;
        const patch = { metadata: { resourceVersion }, subjects: kept };
        await mergePatch(ROLE_TEMPLATE_BINDINGS, found, patch);
      }
      return;
    } catch (error) {
      if (hasCode(error, 404)) return;
      if (!hasCode(error, 409) || attempt === ATTEMPTS) throw error;
      try {
        found = await getObject<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS, found.metadata.name);
      } catch (gone) {
        if (hasCode(gone, 404)) return;
        throw gone;
      }
    }
  }
}
