/** Addresses of lists and objects. */

import { resourceName } from '../../api/discovery';
import type { KubeObject } from '../../api/objects';
import type { Resource } from '../../api/resources';

export type ObjectTab = 'overview' | 'edit' | 'yaml' | 'events';

/** Where an object is looked at. */
export function placeOfObject(resource: Resource, object: KubeObject, tab?: ObjectTab) {
  const { name, namespace } = object.metadata;
  const kind = resourceName(resource);
  const search = tab === undefined || tab === 'overview' ? {} : { tab };
  return namespace === undefined
    ? ({ to: '/resources/$kind/$name', params: { kind, name }, search } as const)
    : ({
        to: '/resources/$kind/$namespace/$name',
        params: { kind, namespace, name },
        search,
      } as const);
}

export function placeOfList(resource: Resource) {
  return { to: '/resources/$kind', params: { kind: resourceName(resource) } } as const;
}
