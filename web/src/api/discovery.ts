/** Which resources the server serves, read once in the aggregated form of discovery. */

import { useSyncExternalStore } from 'react';

import { request, signedOut } from './client';
import { Emitter } from './emitter';
import type { Resource } from './resources';

export interface ServedResource extends Resource {
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
}

export interface Subresource {
  readonly name: string;
  readonly verbs: readonly string[];
}

interface DiscoveredResource {
  resource: string;
  responseKind?: { kind?: string };
  scope: 'Namespaced' | 'Cluster';
  verbs?: string[];
  subresources?: { subresource: string; verbs?: string[] }[];
}

interface GroupDiscoveryList {
  items: {
    metadata?: { name?: string };
    versions?: { version: string; resources?: DiscoveredResource[] }[];
  }[];
}

export interface Discovery {
  /** undefined: not read yet. */
  readonly served: readonly ServedResource[] | undefined;
  readonly error: unknown;
}

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
/** Kinds come and go with their definitions; whoever looks after so long reads anew. */
const LIFE_MS = 60_000;

const changed = new Emitter<undefined>();
let state: Discovery = { served: undefined, error: undefined };
let readAt = 0;
let reading = false;

/** The resources of a document; of several versions the preferred one, which comes first. */
export function resourcesIn(list: GroupDiscoveryList): ServedResource[] {
  const found = new Map<string, ServedResource>();
  for (const group of list.items) {
    const name = group.metadata?.name ?? '';
    for (const { version, resources } of group.versions ?? []) {
      for (const each of resources ?? []) {
        const key = `${each.resource}.${name}`;
        if (found.has(key)) continue;
        found.set(key, {
          group: name,
          version,
          plural: each.resource,
          kind: each.responseKind?.kind ?? each.resource,
          namespaced: each.scope === 'Namespaced',
          verbs: each.verbs ?? [],
          subresources: (each.subresources ?? []).map((sub) => ({
            name: sub.subresource,
            verbs: sub.verbs ?? [],
          })),
        });
      }
    }
  }
  return [...found.values()];
}

async function read(): Promise<void> {
  reading = true;
  readAt = Date.now();
  try {
    const [core, groups] = await Promise.all([
      request<GroupDiscoveryList>('GET', '/api', { accept: ACCEPT }),
      request<GroupDiscoveryList>('GET', '/apis', { accept: ACCEPT }),
    ]);
    state = { served: [...resourcesIn(core), ...resourcesIn(groups)], error: undefined };
  } catch (error) {
    state = { served: state.served, error };
  }
  reading = false;
  changed.emit(undefined);
}

function snapshot(): Discovery {
  if (!reading && Date.now() - readAt > LIFE_MS) void read();
  return state;
}

export function useDiscovery(): Discovery {
  return useSyncExternalStore(changed.subscribe, snapshot);
}

/** A resource as kubectl names it: `pods`, `deployments.apps`. */
export function resourceName(resource: Pick<Resource, 'group' | 'plural'>): string {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
}

/** What the server made known belongs to the session that asked. */
export function forgetDiscovery(): void {
  state = { served: undefined, error: undefined };
  readAt = 0;
}

signedOut.subscribe(forgetDiscovery);
