/** Finds the description of a kind, by its resource or by the name in an address. */

import { useMemo } from 'react';

import { resourceName, useDiscovery, type ServedResource } from '../api/discovery';
import type { Resource } from '../api/resources';
import { DESCRIBED } from './described';
import type { Kind } from './kind';
import { otherKind } from './others';

const described = new Map(DESCRIBED.map((each) => [resourceName(each.resource), each]));

export function kindOf(resource: Resource): Kind {
  return described.get(resourceName(resource)) ?? otherKind(resource);
}

/** These have pages of their own, or none: what the platform keeps of them is no list to edit. */
const elsewhere: ReadonlySet<string> = new Set(['events.events.k8s.io']);

/** Whether objects of a resource can be listed and looked at. */
export function isBrowsable(resource: ServedResource): boolean {
  return (
    resource.verbs.includes('list') &&
    resource.verbs.includes('get') &&
    !elsewhere.has(resourceName(resource))
  );
}

export interface FoundKind {
  /** undefined: not known yet, or there is none. */
  kind: Kind | undefined;
  loading: boolean;
  error: unknown;
}

/** The kind of an address, such as `notebooks.ml.llmos.ai`. */
export function useKind(name: string): FoundKind {
  const { served, error } = useDiscovery();
  return useMemo(() => {
    const known = described.get(name);
    if (known) return { kind: known, loading: false, error: undefined };
    const found = served?.find((each) => resourceName(each) === name && isBrowsable(each));
    return { kind: found && otherKind(found), loading: !served && error === undefined, error };
  }, [name, served, error]);
}
