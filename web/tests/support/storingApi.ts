/** A fake server that also takes changes, as far as the page makes them. */

import type { KubeObject } from '../../src/api/objects';
import { collectionPath, type Resource } from '../../src/api/resources';
import { FakeApi, json, status, type Asked } from './fakeApi';

export class StoringApi extends FakeApi {
  refuse: (asked: Asked) => Response | undefined = () => undefined;
  /** Whether a binding that is read is in force. */
  inForce: (binding: KubeObject) => boolean = () => true;

  constructor() {
    super();
    this.first = (asked) => this.refuse(asked) ?? this.#change(asked);
  }

  names(resource: Resource, namespace?: string): string[] {
    const all = this.collections.get(collectionPath(resource, namespace));
    return [...(all?.values() ?? [])].map((each) => each.metadata.name);
  }

  object(resource: Resource, name: string): KubeObject {
    const found = this.collections.get(collectionPath(resource))?.get(`/${name}`);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  #shown(object: KubeObject): KubeObject {
    if (!('roleTemplateRef' in object)) return object;
    const conditions = [{ type: 'InForce', status: this.inForce(object) ? 'True' : 'False' }];
    return { ...object, status: { conditions } } as KubeObject;
  }

  #change(asked: Asked): Response | undefined {
    const cut = asked.path.lastIndexOf('/');
    const collection = this.collections.get(asked.path) ?? new Map<string, KubeObject>();
    if (
      asked.method === 'POST' &&
      !asked.path.startsWith('/auth') &&
      !asked.path.endsWith('reviews')
    ) {
      const object = asked.body as KubeObject;
      const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
      if (collection.has(key))
        return status(409, 'AlreadyExists', `${object.metadata.name} exists`);
      this.revision += 1;
      const stored = structuredClone(object);
      stored.metadata.uid = `uid-${this.revision}`;
      stored.metadata.resourceVersion = String(this.revision);
      collection.set(key, stored);
      this.collections.set(asked.path, collection);
      this.tell(asked.path, 'ADDED', this.#shown(stored));
      return json(this.#shown(stored), 201);
    }
    const parent = this.collections.get(asked.path.slice(0, cut));
    const name = decodeURIComponent(asked.path.slice(cut + 1));
    const found = [...(parent ?? [])].find(([key]) => key.endsWith(`/${name}`));
    if (!parent || !found) {
      return asked.method === 'DELETE' || asked.method === 'PATCH'
        ? status(404, 'NotFound', `${name} not found`)
        : undefined;
    }
    const [key, object] = found;
    if (asked.method === 'GET') return json(this.#shown(object));
    if (asked.method === 'DELETE') {
      parent.delete(key);
      this.tell(asked.path.slice(0, cut), 'DELETED', object);
      return json({});
    }
    if (asked.method === 'PATCH') {
      const { metadata, ...rest } = asked.body as Partial<KubeObject>;
      const next = { ...object, ...rest, metadata: { ...object.metadata, ...metadata } };
      this.revision += 1;
      next.metadata.resourceVersion = String(this.revision);
      parent.set(key, next);
      this.tell(asked.path.slice(0, cut), 'MODIFIED', this.#shown(next));
      return json(this.#shown(next));
    }
    return undefined;
  }
}
