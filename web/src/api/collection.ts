/**
 * List, then watch, into a map: one for each resource and namespace, shared by all who look at it.
 *
 * A watch goes on from the last revision after a lost connection; when the server has forgotten that
 * revision (410), or refuses, everything is listed again. Changes are told in batches, so that a
 * thousand events draw a page once.
 */

import { Emitter } from './emitter';
import { ApiError, hasCode } from './errors';
import { keyOf, type KubeObject } from './objects';
import { collectionPath, listObjects, type Resource } from './resources';
import { urlOf } from './client';

export type Freshness =
  /** Nothing has come yet. */
  | 'loading'
  /** Every change arrives as it happens. */
  | 'live'
  /** The connection is lost and is being made again; what is shown may be old. */
  | 'stale'
  /** The server refuses: see the error. */
  | 'refused';

export interface Snapshot<T extends KubeObject> {
  readonly items: readonly T[];
  readonly byKey: ReadonlyMap<string, T>;
  readonly freshness: Freshness;
  readonly error: Error | undefined;
}

interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

/** The server refused a list: a right has gone, or the whole session. */
export const refusals = new Emitter<ApiError>();

const BATCH_MS = 50;
const LINGER_MS = 15_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
/** A refused list is asked again, for rights may come back. */
const REFUSED_PAUSE_MS = 20_000;
/** A socket that lived for so long was a good one: the next is tried at once. */
const GOOD_AFTER_MS = 5_000;

export class Collection<T extends KubeObject> {
  readonly #resource: Resource;
  readonly #namespace: string | undefined;
  readonly #changed = new Emitter<undefined>();
  readonly #objects = new Map<string, T>();
  #snapshot: Snapshot<T> = {
    items: [],
    byKey: new Map(),
    freshness: 'loading',
    error: undefined,
  };
  #watchers = 0;
  #revision = '';
  #failures = 0;
  #running: AbortController | undefined;
  #socket: WebSocket | undefined;
  #batch: ReturnType<typeof setTimeout> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | undefined;

  constructor(resource: Resource, namespace?: string) {
    this.#resource = resource;
    this.#namespace = namespace;
  }

  readonly snapshot = (): Snapshot<T> => this.#snapshot;

  /** Looks at the collection until the function that comes back is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const stop = this.#changed.subscribe(listener);
    this.#watchers += 1;
    clearTimeout(this.#linger);
    if (!this.#running) this.#start();
    // Whoever looks at it now has reason to: it may be allowed meanwhile.
    else if (this.#snapshot.freshness === 'refused') this.hurry();
    return () => {
      stop();
      this.#watchers -= 1;
      if (this.#watchers === 0) this.#linger = setTimeout(() => this.stop(), LINGER_MS);
    };
  };

  /** Ends the watch; the next to subscribe begins anew. */
  stop(): void {
    clearTimeout(this.#linger);
    clearTimeout(this.#batch);
    this.#batch = undefined;
    this.#running?.abort();
    this.#running = undefined;
    this.#socket?.close();
    this.#socket = undefined;
    this.#objects.clear();
    this.#revision = '';
    this.#failures = 0;
    this.#snapshot = { items: [], byKey: new Map(), freshness: 'loading', error: undefined };
  }

  /** Do not wait for the end of a pause: the network is back, or somebody looks again. */
  hurry(): void {
    this.#failures = 0;
    this.#wake?.();
  }

  /** Takes the answer of a change at once; its event will say the same. */
  put(object: T): void {
    const known = this.#objects.get(keyOf(object));
    if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#objects.set(keyOf(object), object);
    this.#tellSoon();
  }

  #start(): void {
    const running = new AbortController();
    this.#running = running;
    void this.#run(running.signal);
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        signal.throwIfAborted();
        if (!this.#revision) await this.#list(signal);
        const opened = performance.now();
        await this.#watch(signal);
        if (performance.now() - opened > GOOD_AFTER_MS) this.#failures = 0;
        else await this.#pause(this.#backoff(), signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#revision = '';
        await this.#fail(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const list = await listObjects<T>(this.#resource, this.#namespace, signal);
    this.#objects.clear();
    for (const each of list.items) this.#objects.set(keyOf(each), each);
    this.#revision = list.metadata.resourceVersion ?? '';
    this.#failures = 0;
    this.#tell('live');
  }

  async #fail(error: unknown, signal: AbortSignal): Promise<void> {
    const known = error instanceof Error ? error : new Error(String(error));
    if (hasCode(error, 410)) return;
    const refused = error instanceof ApiError && error.code >= 400 && error.code < 500;
    if (refused && error.code !== 429) {
      this.#objects.clear();
      this.#tell('refused', known);
      refusals.emit(error);
      await this.#pause(REFUSED_PAUSE_MS, signal);
      return;
    }
    this.#tell(this.#snapshot.freshness === 'loading' ? 'loading' : 'stale', known);
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    await this.#pause(Math.max(asked, this.#backoff()), signal);
  }

  #backoff(): number {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    return pause * (0.75 + Math.random() / 2);
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
  }

  /** Follows the changes until the connection ends; throws what the server says against it. */
  #watch(signal: AbortSignal): Promise<void> {
    const path = urlOf(collectionPath(this.#resource, this.#namespace), {
      watch: 1,
      allowWatchBookmarks: true,
      resourceVersion: this.#revision,
    });
    const url = new URL(path, window.location.href);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    return new Promise((resolve, reject) => {
      // eslint-disable-next-line no-restricted-globals -- this is the place for it
      const socket = new WebSocket(url);
      let open = false;
      const abort = () => socket.close();
      signal.addEventListener('abort', abort);
      this.#socket = socket;
      socket.onopen = () => {
        open = true;
        if (this.#snapshot.freshness !== 'live') this.#tell('live');
      };
      socket.onmessage = (message: MessageEvent<string>) => {
        const error = this.#take(message.data);
        if (error) {
          reject(error);
          socket.close();
        }
      };
      socket.onclose = () => {
        signal.removeEventListener('abort', abort);
        if (open || signal.aborted) resolve();
        // A browser does not say why a socket was refused; a list will.
        else reject(new Error('the watch was not opened'));
      };
    });
  }

  #take(line: string): Error | undefined {
    const event = JSON.parse(line) as WatchEvent<T>;
    if (event.type === 'ERROR') {
      const status = event.object as { code?: number };
      return new ApiError(status.code ?? 500, status);
    }
    this.#revision = event.object.metadata.resourceVersion ?? this.#revision;
    if (event.type === 'BOOKMARK') return undefined;
    const key = keyOf(event.object);
    if (event.type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, event.object);
    this.#tellSoon();
    return undefined;
  }

  #tellSoon(): void {
    this.#batch ??= setTimeout(() => this.#tell(this.#snapshot.freshness), BATCH_MS);
  }

  #tell(freshness: Freshness, error?: Error): void {
    clearTimeout(this.#batch);
    this.#batch = undefined;
    const byKey = new Map(this.#objects);
    this.#snapshot = { items: [...byKey.values()], byKey, freshness, error };
    this.#changed.emit(undefined);
  }
}
