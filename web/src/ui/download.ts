/** Files that the page makes. */

import type { KubeObject } from '../api/objects';
import { apiVersionOf, type Resource } from '../api/resources';

export function download(name: string, content: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** An object as one writes it: kind first, and without what the server alone keeps. */
export function manifestOf(resource: Resource, object: KubeObject): KubeObject {
  const metadata = { ...object.metadata };
  delete metadata.managedFields;
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object, metadata };
}

/** Saves objects as YAML, one document each. */
export async function downloadYaml(
  resource: Resource,
  objects: readonly KubeObject[],
): Promise<void> {
  const { stringify } = await import('yaml');
  const text = objects.map((each) => stringify(manifestOf(resource, each))).join('---\n');
  const name = objects.length === 1 ? objects[0]?.metadata.name : undefined;
  download(`${name ?? resource.plural}.yaml`, text, 'application/yaml');
}
