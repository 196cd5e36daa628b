/** A namespace with its quota and members, made as one: whole, or not at all. */

import { hasCode } from '../api/errors';
import {
  apiVersionOf,
  createObject,
  deleteObject,
  NAMESPACES,
  RESOURCE_QUOTAS,
  ROLE_TEMPLATE_BINDINGS,
  type Manifest,
} from '../api/resources';
import {
  addBinding,
  newBinding,
  settled,
  whyNotInForce,
  type Membership,
  type RoleTemplateBinding,
} from './members';
import { DESCRIPTION, type Namespace } from './namespaces';
import { QUOTA_NAME, type ResourceQuota } from './quota';

export interface Draft {
  name: string;
  description: string;
  members: readonly Membership[];
  /** Limits by resource, in Kubernetes' quantities. */
  quota: ReadonlyMap<string, string>;
  labels: ReadonlyMap<string, string>;
  annotations: ReadonlyMap<string, string>;
}

/** What is created, in this order. */
export interface Plan {
  namespace: Manifest<Namespace>;
  quotas: readonly Manifest<ResourceQuota>[];
  bindings: readonly Manifest<RoleTemplateBinding>[];
}

export async function planOf(draft: Draft): Promise<Plan> {
  const { name } = draft;
  const annotations = new Map(draft.annotations);
  if (draft.description.trim()) annotations.set(DESCRIPTION, draft.description.trim());
  return {
    namespace: {
      metadata: {
        name,
        ...(draft.labels.size > 0 && { labels: Object.fromEntries(draft.labels) }),
        ...(annotations.size > 0 && { annotations: Object.fromEntries(annotations) }),
      },
    },
    quotas:
      draft.quota.size > 0
        ? [
            {
              metadata: { name: QUOTA_NAME, namespace: name },
              spec: { hard: Object.fromEntries(draft.quota) },
            },
          ]
        : [],
    bindings: await Promise.all(draft.members.map((each) => newBinding(name, each))),
  };
}

/** A plan as one writes it: a document for each object. */
export async function yamlOf(plan: Plan): Promise<string> {
  const { stringify } = await import('yaml');
  const documents = [
    { apiVersion: 'v1', kind: 'Namespace', ...plan.namespace },
    ...plan.quotas.map((each) => ({ apiVersion: 'v1', kind: 'ResourceQuota', ...each })),
    ...plan.bindings.map((each) => ({
      apiVersion: apiVersionOf(ROLE_TEMPLATE_BINDINGS),
      kind: ROLE_TEMPLATE_BINDINGS.kind,
      ...each,
    })),
  ];
  return documents.map((each) => stringify(each)).join('---\n');
}

/** What is wrong with the YAML of a plan. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}

/** Reads what `yamlOf` writes, and what people make of it. */
export async function planFromYaml(text: string): Promise<Plan> {
  const { parseAllDocuments } = await import('yaml');
  const namespaces: Manifest<Namespace>[] = [];
  const quotas: Manifest<ResourceQuota>[] = [];
  const bindings: Manifest<RoleTemplateBinding>[] = [];
  for (const document of parseAllDocuments(text)) {
    const [mistake] = document.errors;
    if (mistake) throw new PlanError(mistake.message);
    const value = document.toJS({ maxAliasCount: 100 }) as { kind?: string } | null;
    if (value === null) continue;
    if (value.kind === 'Namespace') namespaces.push(value as Manifest<Namespace>);
    else if (value.kind === 'ResourceQuota') quotas.push(value as Manifest<ResourceQuota>);
    else if (value.kind === 'RoleTemplateBinding') {
      bindings.push(value as Manifest<RoleTemplateBinding>);
    } else
      throw new PlanError(
        `kind: ${value.kind ?? ''}: Namespace, ResourceQuota, RoleTemplateBinding`,
      );
  }
  const [namespace, second] = namespaces;
  const name = (namespace?.metadata as { name?: string } | undefined)?.name;
  if (!namespace || second || !name) throw new PlanError('kind: Namespace: 1');
  for (const each of quotas) {
    if (each.metadata.namespace !== name) throw new PlanError(`metadata.namespace: ${name}`);
  }
  for (const each of bindings) {
    if (each.namespaceId !== name) throw new PlanError(`namespaceId: ${name}`);
  }
  return { namespace, quotas, bindings };
}

/** Something was refused; says whether anything is left of what came before it. */
export class CreationError extends Error {
  override readonly name = 'CreationError';
  readonly left: boolean;
  readonly what: string;

  constructor(what: string, left: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.what = what;
    this.left = left;
  }
}

/**
 * Creates all of it, or takes back what was created.
 *
 * @returns the namespace, and the bindings that are not in force after some seconds
 * @throws CreationError something beside the namespace was refused
 */
export async function carryOut(
  plan: Plan,
): Promise<{ namespace: Namespace; pending: RoleTemplateBinding[] }> {
  const namespace = await createObject<Namespace>(NAMESPACES, plan.namespace);
  const made: RoleTemplateBinding[] = [];
  let what = '';
  try {
    for (const each of plan.quotas) {
      what = `ResourceQuota ${each.metadata.name ?? ''}`;
      await createObject(RESOURCE_QUOTAS, each);
    }
    for (const each of plan.bindings) {
      const subjects = each.subjects ?? [];
      what = `${each.roleTemplateRef.name}: ${subjects.map((subject) => subject.name).join(', ')}`;
      made.push(await addBinding(each));
    }
  } catch (error) {
    throw new CreationError(what, !(await takeBack(namespace, made)), error);
  }
  const now = await Promise.all(made.map(settled));
  return { namespace, pending: now.filter((each) => whyNotInForce(each) !== '') };
}

/** Deletes what was made; says whether nothing is left. */
async function takeBack(
  namespace: Namespace,
  bindings: readonly RoleTemplateBinding[],
): Promise<boolean> {
  const gone = async (deletion: Promise<void>) => {
    try {
      await deletion;
      return true;
    } catch (error) {
      return hasCode(error, 404);
    }
  };
  const done = await Promise.all(
    bindings.map((each) => gone(deleteObject(ROLE_TEMPLATE_BINDINGS, each))),
  );
  return (await gone(deleteObject(NAMESPACES, namespace))) && done.every(Boolean);
}
