/** Resources, their paths, and the operations on their objects. */

import { request } from './client';
import type { KubeList, KubeObject } from './objects';

export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const core = (plural: string, kind: string, namespaced = true): Resource => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
});
const management = (plural: string, kind: string): Resource => ({
  group: 'management.llmos.ai',
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});
const machineLearning = (plural: string, kind: string): Resource => ({
  group: 'ml.llmos.ai',
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});

export const NAMESPACES = core('namespaces', 'Namespace', false);
export const NODES = core('nodes', 'Node', false);
export const CONFIG_MAPS = core('configmaps', 'ConfigMap');
export const SECRETS = core('secrets', 'Secret');
export const PODS = core('pods', 'Pod');
export const EVENTS = core('events', 'Event');
export const RESOURCE_QUOTAS = core('resourcequotas', 'ResourceQuota');
export const USERS = management('users', 'User');
export const GLOBAL_ROLES = management('globalroles', 'GlobalRole');
export const ROLE_TEMPLATES = management('roletemplates', 'RoleTemplate');
export const ROLE_TEMPLATE_BINDINGS = management('roletemplatebindings', 'RoleTemplateBinding');
export const SETTINGS = management('settings', 'Setting');
export const NOTEBOOKS = machineLearning('notebooks', 'Notebook');
export const MODEL_SERVICES = machineLearning('modelservices', 'ModelService');
export const GPU_DEVICES: Resource = {
  group: 'gpustack.llmos.ai',
  version: 'v1',
  plural: 'gpudevices',
  kind: 'GPUDevice',
  namespaced: false,
};
export const STORAGE_CLASSES: Resource = {
  group: 'storage.k8s.io',
  version: 'v1',
  plural: 'storageclasses',
  kind: 'StorageClass',
  namespaced: false,
};

export function apiVersionOf(resource: Resource): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

/** The path of a collection: of one namespace, of all, or of a cluster-wide resource. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const base = resource.group
    ? `/apis/${resource.group}/${resource.version}`
    : `/api/${resource.version}`;
  const place =
    resource.namespaced && namespace !== undefined
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  return `${base}${place}/${resource.plural}`;
}

export function objectPath(resource: Resource, name: string, namespace?: string): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

export function pathOf(resource: Resource, object: KubeObject): string {
  return objectPath(resource, object.metadata.name, object.metadata.namespace);
}

export type Manifest<T extends KubeObject = KubeObject> = Omit<T, 'metadata'> & {
  metadata: Partial<T['metadata']>;
};

export function getObject<T extends KubeObject>(
  resource: Resource,
  name: string,
  namespace?: string,
): Promise<T> {
  return request<T>('GET', objectPath(resource, name, namespace));
}

export function listObjects<T extends KubeObject>(
  resource: Resource,
  namespace?: string,
  signal?: AbortSignal,
): Promise<KubeList<T>> {
  return request<KubeList<T>>('GET', collectionPath(resource, namespace), {
    ...(signal && { signal }),
  });
}

/** Creates an object; kind and version come from the resource. */
export function createObject<T extends KubeObject>(
  resource: Resource,
  manifest: Manifest<T>,
  options: { dryRun?: boolean } = {},
): Promise<T> {
  const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...manifest };
  const path = collectionPath(resource, manifest.metadata.namespace);
  return request<T>('POST', path, {
    body,
    query: { fieldValidation: 'Strict', dryRun: options.dryRun ? 'All' : undefined },
  });
}

/** Puts an object in place of the version that was read; 409 when somebody was faster. */
export function replaceObject<T extends KubeObject>(resource: Resource, object: T): Promise<T> {
  return request<T>('PUT', pathOf(resource, object), {
    body: object,
    query: { fieldValidation: 'Strict' },
  });
}

/** A JSON merge patch (RFC 7386): what is null goes, what is not named stays. */
export function mergePatch<T extends KubeObject>(
  resource: Resource,
  object: KubeObject,
  patch: unknown,
): Promise<T> {
  return request<T>('PATCH', pathOf(resource, object), {
    body: patch,
    contentType: 'application/merge-patch+json',
  });
}

/** Deletes this very object, in this very version where one is asked for. */
export async function deleteObject(
  resource: Resource,
  object: KubeObject,
  options: { sameVersion?: boolean } = {},
): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  const preconditions = {
    ...(uid !== undefined && { uid }),
    ...(options.sameVersion && resourceVersion !== undefined && { resourceVersion }),
  };
  await request('DELETE', pathOf(resource, object), {
    body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions },
  });
}
