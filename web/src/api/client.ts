/** The one way to the server over HTTP: the session's CSRF token, errors and warnings. */

import { Emitter } from './emitter';
import { ApiError, ConnectionError, errorOf } from './errors';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
  /** Do not tell the page that nobody is signed in: the caller wants to know it himself. */
  quiet401?: boolean;
}

/** Texts of the `Warning` headers of an answer. */
export const warnings = new Emitter<string>();
/** Somebody's session has ended: the server answered 401. */
export const signedOut = new Emitter<undefined>();

let csrfToken = '';
let renewCsrf: (() => Promise<boolean>) | undefined;

/** Keep the token in memory alone; it dies with the page. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** How to learn the token anew, after another tab has signed in; says whether the user is the same. */
export function onCsrfRefused(renew: () => Promise<boolean>): void {
  renewCsrf = renew;
}

export function urlOf(path: string, query: RequestOptions['query'] = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** Reads the warnings of an answer (RFC 9110 of old: `299 agent "text"`, several by commas). */
export function warningsIn(header: string | null): string[] {
  if (!header) return [];
  return [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((each) =>
    (each[1] ?? '').replace(/\\(.)/g, '$1'),
  );
}

async function send(method: Method, path: string, options: RequestOptions): Promise<Response> {
  const headers = new Headers({ accept: options.accept ?? 'application/json' });
  if (method !== 'GET') headers.set('x-csrf-token', csrfToken);
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (options.body !== undefined) {
    headers.set('content-type', options.contentType ?? 'application/json');
    init.body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  try {
    // eslint-disable-next-line no-restricted-globals -- this is the client
    return await fetch(urlOf(path, options.query), init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ConnectionError('no answer from the server', { cause: error });
  }
}

/**
 * Sends a request and gives the answer when it is a success.
 *
 * @throws ApiError the server refused
 * @throws ConnectionError no answer came
 */
export async function respond(
  method: Method,
  path: string,
  options: RequestOptions = {},
): Promise<Response> {
  let response = await send(method, path, options);
  if (response.status === 403 && method !== 'GET' && renewCsrf && path !== '/auth/login') {
    const before = csrfToken;
    const same = await renewCsrf();
    if (same && csrfToken !== before) response = await send(method, path, options);
  }
  for (const text of warningsIn(response.headers.get('warning'))) warnings.emit(text);
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.code === 401 && !options.quiet401) signedOut.emit(undefined);
  throw error;
}

/** Sends a request and reads the JSON of the answer; undefined when it has no body. */
export async function request<T>(
  method: Method,
  path: string,
  options: RequestOptions = {},
): Promise<T> {
  const response = await respond(method, path, options);
  const text = await response.text();
  if (!text) return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(response.status, { message: 'the answer is not JSON' });
  }
}
