/** Changes of a namespace and its quota: what differs is written, and nothing else. */

import {
  createObject,
  deleteObject,
  mergePatch,
  NAMESPACES,
  RESOURCE_QUOTAS,
} from '../api/resources';
import { DESCRIPTION, type Namespace } from './namespaces';
import { QUOTA_NAME, type ResourceQuota } from './quota';

export interface Before {
  namespace: Namespace;
  quota: ResourceQuota | undefined;
}

export interface After {
  description: string;
  labels: ReadonlyMap<string, string>;
  annotations: ReadonlyMap<string, string>;
  /** Without it the quota stays as it is. */
  limits?: ReadonlyMap<string, string>;
}

/** What a merge patch says to make one of the other: null for what goes. */
export function difference(
  before: Record<string, string> | undefined,
  after: ReadonlyMap<string, string>,
): Record<string, string | null> | undefined {
  const changes = new Map<string, string | null>();
  for (const [key, value] of after) {
    if (before === undefined || !Object.hasOwn(before, key) || before[key] !== value) {
      changes.set(key, value);
    }
  }
  for (const key of Object.keys(before ?? {})) {
    if (!after.has(key)) changes.set(key, null);
  }
  return changes.size > 0 ? Object.fromEntries(changes) : undefined;
}

/**
 * Writes what differs; the quota last, for fewer may write it.
 *
 * @throws ApiError the server refused, 409 also when somebody else was faster
 */
export async function saveNamespace(before: Before, after: After): Promise<void> {
  const { namespace } = before;
  const { resourceVersion, labels: oldLabels, annotations: oldAnnotations } = namespace.metadata;
  const wanted = new Map(after.annotations);
  if (after.description.trim()) wanted.set(DESCRIPTION, after.description.trim());
  const labels = difference(oldLabels, after.labels);
  const annotations = difference(oldAnnotations, wanted);
  if (labels ?? annotations) {
    await mergePatch(NAMESPACES, namespace, {
      metadata: { resourceVersion, ...(labels && { labels }), ...(annotations && { annotations }) },
    });
  }
  if (after.limits) await saveQuota(before, after.limits);
}

async function saveQuota(before: Before, limits: ReadonlyMap<string, string>): Promise<void> {
  const { namespace, quota } = before;
  if (!quota) {
    if (limits.size === 0) return;
    await createObject<ResourceQuota>(RESOURCE_QUOTAS, {
      metadata: { name: QUOTA_NAME, namespace: namespace.metadata.name },
      spec: { hard: Object.fromEntries(limits) },
    });
    return;
  }
  if (limits.size === 0) {
    await deleteObject(RESOURCE_QUOTAS, quota, { sameVersion: true });
    return;
  }
  const hard = difference(quota.spec?.hard, limits);
  // The status of a quota changes all the time, so its version says nothing about its limits.
  if (hard) await mergePatch(RESOURCE_QUOTAS, quota, { spec: { hard } });
}
