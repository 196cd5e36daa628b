import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  onCsrfRefused,
  request,
  setCsrfToken,
  signedOut,
  warnings,
  warningsIn,
} from '../../src/api/client';
import { ApiError, ConnectionError } from '../../src/api/errors';
import { checkIdentity, loadIdentity } from '../../src/api/session';
import { FakeApi, json, status } from '../support/fakeApi';

let api: FakeApi;

beforeEach(() => {
  api = new FakeApi().install();
  setCsrfToken('csrf-0');
  onCsrfRefused(checkIdentity);
});

describe('a request', () => {
  it('that changes something proves that it comes from the page', async () => {
    api.first = () => json({});
    await request('POST', '/api/v1/namespaces', { body: {} });
    await request('GET', '/api/v1/namespaces');
    expect(api.asked[0]?.headers.get('x-csrf-token')).toBe('csrf-0');
    expect(api.asked[1]?.headers.has('x-csrf-token')).toBe(false);
  });

  it('that is refused throws what the server says', async () => {
    api.first = () => status(422, 'Invalid', 'too long');
    const error = await request('POST', '/x', { body: {} }).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 422, reason: 'Invalid', message: 'too long' });
  });

  it('survives errors that are no Status', async () => {
    api.first = () => new Response('<h1>Bad gateway</h1>', { status: 502 });
    await expect(request('GET', '/x')).rejects.toMatchObject({ code: 502 });
    api.first = () => Promise.reject(new TypeError('Failed to fetch'));
    await expect(request('GET', '/x')).rejects.toBeInstanceOf(ConnectionError);
  });

  it('tells the page when nobody is signed in any more', async () => {
    const told = vi.fn();
    const stop = signedOut.subscribe(told);
    api.first = () => status(401, 'Unauthorized', 'Unauthorized');
    await expect(request('GET', '/x')).rejects.toMatchObject({ code: 401 });
    await expect(request('GET', '/x', { quiet401: true })).rejects.toMatchObject({ code: 401 });
    stop();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('is sent again with the token of a session that another tab began, once', async () => {
    await loadIdentity();
    api.whoami = { user: { username: 'admin', uid: 'uid-admin' }, csrfToken: 'csrf-2' };
    api.first = (asked) =>
      asked.method === 'POST' && asked.headers.get('x-csrf-token') !== 'csrf-2'
        ? status(403, 'Forbidden', 'csrf')
        : asked.method === 'POST'
          ? json({ done: true })
          : undefined;
    await expect(request('POST', '/x', { body: {} })).resolves.toEqual({ done: true });
    expect(api.requests('POST', '/x')).toHaveLength(2);
  });

  it('that is forbidden for good is not sent again', async () => {
    await loadIdentity();
    api.first = (asked) => (asked.method === 'POST' ? status(403, 'Forbidden', 'no') : undefined);
    await expect(request('POST', '/x', { body: {} })).rejects.toMatchObject({ code: 403 });
    expect(api.requests('POST', '/x')).toHaveLength(1);
  });
});

describe('warnings', () => {
  it('are read from the header, several and quoted', () => {
    expect(warningsIn('299 - "one", 299 llmos "say \\"two\\", please"')).toEqual([
      'one',
      'say "two", please',
    ]);
    expect(warningsIn(null)).toEqual([]);
  });

  it('are told', async () => {
    const told = vi.fn();
    const stop = warnings.subscribe(told);
    api.first = () => json({}, 200, { warning: '299 - "not for production"' });
    await request('GET', '/x');
    stop();
    expect(told).toHaveBeenCalledWith('not for production');
  });
});
