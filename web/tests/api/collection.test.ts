import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Collection } from '../../src/api/collection';
import { NAMESPACES, NOTEBOOKS } from '../../src/api/resources';
import { FakeApi, status } from '../support/fakeApi';

const PATH = '/api/v1/namespaces';
let api: FakeApi;
let collection: Collection<{ metadata: { name: string } }>;
let stop: () => void;

const named = (name: string) => ({ metadata: { name } });
const names = () => [...collection.snapshot().byKey.keys()].sort();
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(async () => {
  vi.useFakeTimers();
  api = new FakeApi().install();
  api.put(NAMESPACES, named('a'), named('b'));
  collection = new Collection(NAMESPACES);
  stop = collection.subscribe(() => undefined);
  await pass(10);
});

afterEach(() => {
  stop();
  collection.stop();
  vi.useRealTimers();
});

describe('a collection', () => {
  it('lists, then follows the changes', async () => {
    expect(names()).toEqual(['a', 'b']);
    expect(collection.snapshot().freshness).toBe('live');
    expect(api.sockets[0]?.url.protocol).toBe('wss:');
    expect(api.sockets[0]?.url.searchParams.get('resourceVersion')).toBe('102');
    api.put(NAMESPACES, named('c'));
    api.remove(NAMESPACES, 'a');
    await pass(100);
    expect(names()).toEqual(['b', 'c']);
  });

  it('tells a burst of changes once', async () => {
    let told = 0;
    const end = collection.subscribe(() => (told += 1));
    for (let index = 0; index < 500; index += 1) api.put(NAMESPACES, named(`n${index}`));
    await pass(100);
    end();
    expect(told).toBe(1);
    expect(names()).toHaveLength(502);
  });

  it('goes on from the last revision after a lost connection', async () => {
    api.put(NAMESPACES, named('c'));
    await pass(6000);
    api.sockets[0]?.close();
    await pass(1000);
    expect(api.requests('GET', PATH)).toHaveLength(1);
    expect(api.sockets[0]?.url.searchParams.get('resourceVersion')).toBe('103');
    expect(collection.snapshot().freshness).toBe('live');
  });

  it('takes the revision of bookmarks', async () => {
    api.tell(PATH, 'BOOKMARK', { metadata: { resourceVersion: '900' } });
    await pass(6000);
    api.sockets[0]?.close();
    await pass(1000);
    expect(api.sockets[0]?.url.searchParams.get('resourceVersion')).toBe('900');
    expect(names()).toEqual(['a', 'b']);
  });

  it('lists anew when the server has forgotten the revision', async () => {
    api.collections.get(PATH)?.delete('/a');
    api.tell(PATH, 'ERROR', { code: 410, reason: 'Expired', message: 'too old' });
    await pass(1000);
    expect(api.requests('GET', PATH)).toHaveLength(2);
    expect(names()).toEqual(['b']);
  });

  it('shows nothing any more when the server refuses, and asks again later', async () => {
    api.first = (asked) => (asked.path === PATH ? status(403, 'Forbidden', 'no') : undefined);
    api.refuseWatches = true;
    await pass(6000);
    api.sockets[0]?.close();
    await pass(3000);
    expect(collection.snapshot()).toMatchObject({ items: [], freshness: 'refused' });
    api.first = () => undefined;
    api.refuseWatches = false;
    await pass(30_000);
    expect(names()).toEqual(['a', 'b']);
    expect(collection.snapshot().freshness).toBe('live');
  });

  it('asks at once when somebody looks at it anew', async () => {
    api.first = (asked) => (asked.path === PATH ? status(403, 'Forbidden', 'no') : undefined);
    api.refuseWatches = true;
    await pass(6000);
    api.sockets[0]?.close();
    await pass(3000);
    expect(collection.snapshot().freshness).toBe('refused');
    api.first = () => undefined;
    api.refuseWatches = false;
    const end = collection.subscribe(() => undefined);
    await pass(100);
    end();
    expect(collection.snapshot().freshness).toBe('live');
  });

  it('keeps what it has while the server is away, and waits longer and longer', async () => {
    let tries = 0;
    api.first = (asked) => {
      if (asked.path !== PATH) return undefined;
      tries += 1;
      return Promise.reject(new TypeError('Failed to fetch'));
    };
    api.refuseWatches = true;
    api.sockets[0]?.close();
    await pass(60_000);
    expect(collection.snapshot().freshness).toBe('stale');
    expect(names()).toEqual(['a', 'b']);
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(30);
    api.first = () => undefined;
    api.refuseWatches = false;
    collection.hurry();
    await pass(50);
    expect(collection.snapshot().freshness).toBe('live');
  });

  it('ends when nobody looks at it for a while', async () => {
    stop();
    await pass(10_000);
    expect(api.sockets).toHaveLength(1);
    await pass(10_000);
    expect(api.sockets).toHaveLength(0);
    stop = collection.subscribe(() => undefined);
    await pass(10);
    expect(names()).toEqual(['a', 'b']);
  });

  it('is not fooled by names that JavaScript knows', async () => {
    api.put(NAMESPACES, named('__proto__'), named('constructor'));
    await pass(100);
    expect(names()).toEqual(['__proto__', 'a', 'b', 'constructor']);
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });

  it('asks for one namespace by its path', async () => {
    const one = new Collection(NOTEBOOKS, 'team-a');
    const end = one.subscribe(() => undefined);
    await pass(10);
    end();
    one.stop();
    expect(api.requests('GET', '/apis/ml.llmos.ai/v1/namespaces/team-a/notebooks')).toHaveLength(1);
  });
});
