/** Namespaces: which kind of place each is, and what is said about it. */

import { annotation, type Condition, type KubeObject } from '../api/objects';

export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string; conditions?: Condition[] };
}

/** The annotation that says what a namespace is for. */
export const DESCRIPTION = 'kubernetes.io/description';
export const PUBLIC_NAMESPACE = 'llmos-public';
/** Creating in these is answered with a warning. */
export const NOT_FOR_PRODUCTION: ReadonlySet<string> = new Set(['default', PUBLIC_NAMESPACE]);

const reserved: ReadonlySet<string> = new Set(['storage-system', 'system-upgrade']);
const reservedPrefixes = ['kube-', 'llmos-'] as const;

export type Place = 'mine' | 'public' | 'system';

/** A hint for the eye; what may be done with a namespace is decided by the server. */
export function isReserved(name: string): boolean {
  if (name === PUBLIC_NAMESPACE) return false;
  return reserved.has(name) || reservedPrefixes.some((prefix) => name.startsWith(prefix));
}

export function placeOf(namespace: KubeObject): Place {
  const { name } = namespace.metadata;
  if (name === PUBLIC_NAMESPACE) return 'public';
  return isReserved(name) ? 'system' : 'mine';
}

export function descriptionOf(object: KubeObject): string {
  return annotation(object, DESCRIPTION) ?? '';
}

export type NamespaceState = 'Active' | 'Terminating' | 'Unknown';

export function stateOf(namespace: Namespace): NamespaceState {
  if (namespace.metadata.deletionTimestamp) return 'Terminating';
  const phase = namespace.status?.phase;
  return phase === 'Active' || phase === 'Terminating' ? phase : 'Unknown';
}

/** What a terminating namespace waits for, in the words of the API. */
export function waitsFor(namespace: Namespace): string[] {
  const conditions = namespace.status?.conditions ?? [];
  return conditions
    .filter((each) => each.status === 'True' && each.message)
    .map((each) => each.message ?? '');
}

/** Labels and annotations of a namespace that an administrator alone changes. */
export function isProtectedKey(key: string): boolean {
  if (key === 'kubernetes.io/metadata.name') return true;
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  return (
    prefix === 'pod-security.kubernetes.io' ||
    prefix === 'resource.kubernetes.io' ||
    prefix === 'llmos.ai' ||
    prefix.endsWith('.llmos.ai')
  );
}

export type NameProblem = 'empty' | 'tooLong' | 'characters' | 'ends' | 'reserved' | 'taken';

/** What is wrong with the name of a new namespace (RFC 1123 label, and ours). */
export function nameProblem(name: string, taken: ReadonlyMap<string, unknown>): NameProblem | null {
  if (name === '') return 'empty';
  if (/[^a-z0-9-]/.test(name)) return 'characters';
  if (name.startsWith('-') || name.endsWith('-')) return 'ends';
  if (name.length > 63) return 'tooLong';
  if (reservedPrefixes.some((prefix) => name.startsWith(prefix))) return 'reserved';
  return taken.has(name) ? 'taken' : null;
}
