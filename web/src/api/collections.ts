/** All collections of the page, and the hooks that look at them. */

import { useSyncExternalStore } from 'react';

import { signedOut } from './client';
import { Collection, type Snapshot } from './collection';
import type { KubeObject } from './objects';
import { collectionPath, type Resource } from './resources';

const collections = new Map<string, Collection<KubeObject>>();

/** The collection of a resource: in one namespace, or (without one) in all that one may see. */
export function collectionOf<T extends KubeObject>(
  resource: Resource,
  namespace?: string,
): Collection<T> {
  const path = collectionPath(resource, namespace);
  let found = collections.get(path);
  if (!found) {
    found = new Collection<KubeObject>(resource, namespace);
    collections.set(path, found);
  }
  return found as unknown as Collection<T>;
}

export function useCollection<T extends KubeObject>(
  resource: Resource,
  namespace?: string,
): Snapshot<T> {
  const collection = collectionOf<T>(resource, namespace);
  return useSyncExternalStore(collection.subscribe, collection.snapshot);
}

const nothing: Snapshot<KubeObject> = {
  items: [],
  byKey: new Map(),
  freshness: 'live',
  error: undefined,
};
const noSubscription = () => () => undefined;
const noSnapshot = () => nothing;

/** A collection that is looked at only while it is wanted. */
export function useCollectionIf<T extends KubeObject>(
  wanted: boolean,
  resource: Resource,
  namespace?: string,
): Snapshot<T> {
  const collection = collectionOf<T>(resource, namespace);
  return useSyncExternalStore(
    wanted ? collection.subscribe : noSubscription,
    wanted ? collection.snapshot : (noSnapshot as () => Snapshot<T>),
  );
}

/** Tries all lost connections at once. */
export function hurryCollections(): void {
  for (const each of collections.values()) each.hurry();
}

/** Forgets everything that was read: it belonged to somebody's session. */
export function stopCollections(): void {
  for (const each of collections.values()) each.stop();
  collections.clear();
}

signedOut.subscribe(stopCollections);
