/** Reads and writes single places of objects whose shape nobody promised: what came, came from a server. */

import type { KubeObject } from '../api/objects';

export type Path = readonly (string | number)[];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function step(value: unknown, key: string | number): unknown {
  if (typeof key === 'number') return Array.isArray(value) ? (value as unknown[])[key] : undefined;
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What stands at a path; undefined where nothing does. */
export function at(object: unknown, ...path: Path): unknown {
  return path.reduce(step, object);
}

/** What stands at a path as text; empty where there is no text and no number. */
export function textAt(object: unknown, ...path: Path): string {
  const found = at(object, ...path);
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean'
    ? String(found)
    : '';
}

export function numberAt(object: unknown, ...path: Path): number | undefined {
  const found = at(object, ...path);
  return typeof found === 'number' ? found : undefined;
}

export function listAt(object: unknown, ...path: Path): readonly unknown[] {
  const found = at(object, ...path);
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** The texts of a map, in the order they came in; a Map, for its keys are anybody's words. */
export function textsAt(object: unknown, ...path: Path): Map<string, string> {
  const found = at(object, ...path);
  const texts = new Map<string, string>();
  if (!isRecord(found)) return texts;
  for (const [key, value] of Object.entries(found)) {
    if (typeof value === 'string') texts.set(key, value);
  }
  return texts;
}

/** A record with these own keys and nothing inherited in their way. */
export function recordOf<V>(entries: Iterable<readonly [string, V]>): Record<string, V> {
  return Object.fromEntries(entries);
}

function put(value: unknown, path: Path, next: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  const inner = put(step(value, key), rest, next);
  if (typeof key === 'number') {
    const list = Array.isArray(value) ? [...(value as unknown[])] : [];
    if (inner === undefined) list.splice(key, 1);
    else list[key] = inner;
    return list.length === 0 ? undefined : list;
  }
  const entries = isRecord(value) ? Object.entries(value).filter(([each]) => each !== key) : [];
  const known = isRecord(value) && Object.hasOwn(value, key);
  if (inner === undefined) return entries.length === 0 ? undefined : recordOf(entries);
  if (!known) return recordOf([...entries, [key, inner]]);
  return recordOf(Object.entries(value).map(([each, old]) => [each, each === key ? inner : old]));
}

/** A copy with something else at a path; undefined takes it away, and what is empty then. */
export function withAt<T extends KubeObject | object>(object: T, path: Path, next: unknown): T {
  return put(object, path, next) as T;
}
