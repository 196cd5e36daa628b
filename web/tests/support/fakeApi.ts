/** A server of a few lines: collections in memory, watches told of changes, and what was asked of it. */

import { vi } from 'vitest';

import type { KubeObject } from '../../src/api/objects';
import { collectionPath, type Resource } from '../../src/api/resources';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

type Answer = Response | undefined | Promise<Response | undefined>;

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

export function status(code: number, reason: string, message: string): Response {
  return json({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, code);
}

export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly url: URL;
  readonly api: FakeApi;
  open = false;

  constructor(api: FakeApi, url: string | URL) {
    this.api = api;
    this.url = new URL(url);
    api.sockets.push(this);
    queueMicrotask(() => {
      if (api.refuseWatches) this.close();
      else {
        this.open = true;
        this.onopen?.();
      }
    });
  }

  send(type: string, object: unknown): void {
    this.onmessage?.({ data: JSON.stringify({ type, object }) });
  }

  close(): void {
    this.open = false;
    this.api.sockets.splice(this.api.sockets.indexOf(this), 1);
    queueMicrotask(() => this.onclose?.());
  }
}

export class FakeApi {
  readonly asked: Asked[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly collections = new Map<string, Map<string, KubeObject>>();
  served: Resource[] = [];
  refuseWatches = false;
  revision = 100;
  whoami: unknown = {
    user: { username: 'admin', uid: 'uid-admin', groups: ['llmos:users', 'llmos:admins'] },
    mustChangePassword: false,
    csrfToken: 'csrf-1',
  };
  /** Answers before anything else does, where it gives something. */
  first: (asked: Asked) => Answer = () => undefined;
  allowed: (attributes: Record<string, string>) => boolean = () => true;

  install(): this {
    vi.stubGlobal('fetch', (url: string, init: RequestInit = {}) => this.#fetch(url, init));
    vi.stubGlobal('WebSocket', FakeSocket.bind(null, this));
    return this;
  }

  /** Puts objects into a collection, and tells who watches it. */
  put(resource: Resource, ...objects: KubeObject[]): void {
    const path = collectionPath(resource);
    const all = this.#collection(path);
    for (const each of objects) {
      this.revision += 1;
      const stored = structuredClone(each);
      stored.metadata.resourceVersion = String(this.revision);
      stored.metadata.uid ??= `uid-${each.metadata.namespace ?? ''}-${each.metadata.name}`;
      stored.metadata.creationTimestamp ??= '2026-01-01T00:00:00Z';
      const key = `${each.metadata.namespace ?? ''}/${each.metadata.name}`;
      const type = all.has(key) ? 'MODIFIED' : 'ADDED';
      all.set(key, stored);
      this.tell(path, type, stored);
    }
  }

  remove(resource: Resource, name: string, namespace = ''): void {
    const path = collectionPath(resource);
    const key = `${namespace}/${name}`;
    const found = this.#collection(path).get(key);
    this.#collection(path).delete(key);
    if (found) this.tell(path, 'DELETED', found);
  }

  tell(path: string, type: string, object: object): void {
    const { namespace } = 'metadata' in object ? (object.metadata as { namespace?: string }) : {};
    const here =
      namespace === undefined ? path : path.replace(/([^/]+)$/, `namespaces/${namespace}/$1`);
    for (const each of [...this.sockets]) {
      const { pathname } = each.url;
      if ((pathname === path || pathname === here) && each.open) each.send(type, object);
    }
  }

  /** Serves these resources, and says so. */
  serve(...resources: Resource[]): void {
    this.served = resources;
  }

  requests(method: string, path: string): Asked[] {
    return this.asked.filter((each) => each.method === method && each.path === path);
  }

  #collection(path: string): Map<string, KubeObject> {
    let found = this.collections.get(path);
    if (!found) {
      found = new Map<string, KubeObject>();
      this.collections.set(path, found);
    }
    return found;
  }

  #discovery(core: boolean): unknown {
    const resources = this.served.filter((each) => (each.group === '') === core);
    return {
      items: [...Map.groupBy(resources, (each) => each.group)].map(([name, those]) => ({
        metadata: { name },
        versions: [
          {
            version: 'v1',
            resources: those.map((each) => ({
              resource: each.plural,
              responseKind: { kind: each.kind },
              scope: each.namespaced ? 'Namespaced' : 'Cluster',
              verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
              subresources: each.plural === 'pods' ? [{ subresource: 'log', verbs: ['get'] }] : [],
            })),
          },
        ],
      })),
    };
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const { pathname, searchParams } = new URL(url, 'https://llmos.test');
    const text = typeof init.body === 'string' ? init.body : '';
    const asked: Asked = {
      method: init.method ?? 'GET',
      path: pathname,
      query: searchParams,
      headers: new Headers(init.headers),
      body: text.startsWith('{') ? JSON.parse(text) : text,
    };
    this.asked.push(asked);
    return (await this.first(asked)) ?? this.#answer(asked);
  }

  #answer(asked: Asked): Response {
    if (asked.path === '/auth/session') {
      return this.whoami ? json(this.whoami) : new Response(null, { status: 204 });
    }
    if (asked.path.endsWith('/selfsubjectaccessreviews')) {
      const body = asked.body as { spec: { resourceAttributes: Record<string, string> } };
      return json({ status: { allowed: this.allowed(body.spec.resourceAttributes) } });
    }
    if (asked.path === '/api' || asked.path === '/apis') {
      return json(this.#discovery(asked.path === '/api'));
    }
    if (asked.method === 'GET') {
      const [, before, namespace, rest = ''] =
        /^(.*)\/namespaces\/([^/]+)\/(.+)$/.exec(asked.path) ?? [];
      const path = before === undefined ? asked.path : `${before}/${rest}`;
      const items = [...this.#collection(path).values()].filter(
        (each) => namespace === undefined || each.metadata.namespace === namespace,
      );
      return json({ metadata: { resourceVersion: String(this.revision) }, items });
    }
    return status(404, 'NotFound', 'the fake has no such thing');
  }
}
