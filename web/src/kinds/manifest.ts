/** Objects as YAML and back; loaded with the editor. */

import { parseDocument, stringify } from 'yaml';

import type { KubeObject } from '../api/objects';
import { apiVersionOf, type Manifest, type Resource } from '../api/resources';
import type { Path } from './reading';
import { at, withAt } from './reading';

const MASK = '••••••';

/** An object as one writes it: kind first, without what the server keeps for itself. */
export function toYaml(resource: Resource, object: object): string {
  const { apiVersion, kind, ...rest } = withAt(
    object as Record<string, unknown>,
    ['metadata', 'managedFields'],
    undefined,
  );
  return stringify(
    { apiVersion: apiVersion ?? apiVersionOf(resource), kind: kind ?? resource.kind, ...rest },
    { lineWidth: 0 },
  );
}

/** The same with what is secret left out: the keys stay, what they hold goes. */
export function masked<T extends object>(object: T, paths: readonly Path[]): T {
  return paths.reduce((found, path) => {
    const value = at(found, ...path);
    if (value === undefined) return found;
    if (typeof value !== 'object' || value === null) return withAt(found, path, MASK);
    const hidden = Object.keys(value).map((key) => [key, MASK] as const);
    return withAt(found, path, Object.fromEntries(hidden));
  }, object);
}

export type ManifestProblem = 'syntax' | 'object' | 'kind' | 'name';

export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly problem: ManifestProblem;

  constructor(problem: ManifestProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/**
 * The manifest that a text holds.
 *
 * @throws ManifestError it holds none, or one of another kind
 */
export function fromYaml(resource: Resource, text: string): Manifest {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw new ManifestError('syntax', error.message.split('\n')[0] ?? '');
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (problem) {
    throw new ManifestError('syntax', problem instanceof Error ? problem.message : '');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ManifestError('object', 'no object');
  }
  const metadata = at(value, 'metadata');
  if (typeof metadata !== 'object' || metadata === null) {
    throw new ManifestError('object', 'no metadata');
  }
  const wanted = `${resource.kind} (${apiVersionOf(resource)})`;
  const kind = at(value, 'kind') ?? resource.kind;
  const apiVersion = at(value, 'apiVersion') ?? apiVersionOf(resource);
  if (kind !== resource.kind || apiVersion !== apiVersionOf(resource)) {
    throw new ManifestError('kind', wanted);
  }
  return value as Manifest;
}

/**
 * The object that a text makes of one that exists, in the version that the text was made of.
 *
 * @throws ManifestError it holds none, or speaks of another object
 */
export function editedFrom(
  resource: Resource,
  original: KubeObject,
  text: string,
  resourceVersion = original.metadata.resourceVersion,
): KubeObject {
  const manifest = fromYaml(resource, text);
  const { name, namespace } = original.metadata;
  if (manifest.metadata.name !== name || manifest.metadata.namespace !== namespace) {
    throw new ManifestError('name', namespace === undefined ? name : `${namespace}/${name}`);
  }
  // Without a version the server would put it over whatever others wrote meanwhile.
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  return { ...manifest, metadata: { ...manifest.metadata, name, ...version } };
}
