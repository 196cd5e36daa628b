/** Who is signed in. The session itself is a cookie that no script can read. */

import { onCsrfRefused, request, setCsrfToken, signedOut } from './client';
import { Emitter } from './emitter';
import { hasCode } from './errors';

export interface Identity {
  username: string;
  uid: string;
  groups: readonly string[];
  mustChangePassword: boolean;
  expiresAt: string | undefined;
}

interface WhoAmI {
  user: { username: string; uid?: string; groups?: string[] };
  mustChangePassword?: boolean;
  expiresAt?: string;
  csrfToken?: string;
}

const changed = new Emitter<undefined>();
/** Other windows of the page, which share the session. */
const windows =
  typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('llmos-session');
let identity: Identity | undefined;

export function currentIdentity(): Identity | undefined {
  return identity;
}

export const subscribeToIdentity = changed.subscribe;

export const ADMINS = 'llmos:admins';

export function isAdmin(who: Identity | undefined): boolean {
  return who?.groups.includes(ADMINS) ?? false;
}

function remember(next: Identity | undefined): void {
  identity = next;
  changed.emit(undefined);
}

/** Asks the server who the cookie belongs to; undefined: nobody. */
export async function loadIdentity(): Promise<Identity | undefined> {
  try {
    const answer = await request<WhoAmI | undefined>('GET', '/auth/session', { quiet401: true });
    if (!answer) {
      forget();
      return undefined;
    }
    setCsrfToken(answer.csrfToken ?? '');
    remember({
      username: answer.user.username,
      uid: answer.user.uid ?? '',
      groups: answer.user.groups ?? [],
      mustChangePassword: answer.mustChangePassword ?? false,
      expiresAt: answer.expiresAt,
    });
  } catch (error) {
    if (!hasCode(error, 401)) throw error;
    forget();
  }
  return identity;
}

export async function signIn(username: string, password: string): Promise<Identity | undefined> {
  await request('POST', '/auth/login', {
    body: { username, password, cookie: true },
    quiet401: true,
  });
  return loadIdentity();
}

export async function signOut(): Promise<void> {
  try {
    await request('POST', '/auth/logout', { quiet401: true });
  } catch (error) {
    if (!hasCode(error, 401)) throw error;
  }
  windows?.postMessage('ended');
  signedOut.emit(undefined);
}

/** Calls when another window has signed out; what ends it is the server's answer, not the message. */
export function onEndElsewhere(listener: () => void): () => void {
  const heard = () => listener();
  windows?.addEventListener('message', heard);
  return () => windows?.removeEventListener('message', heard);
}

export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  await request('PUT', '/auth/password', { body: { currentPassword, newPassword } });
  await loadIdentity();
}

export function forget(): void {
  setCsrfToken('');
  remember(undefined);
}

/** Learns who is signed in now; a page that shows somebody else's data is loaded anew. */
export async function checkIdentity(): Promise<boolean> {
  const before = identity;
  const now = await loadIdentity();
  if (before && !now) {
    signedOut.emit(undefined);
    return false;
  }
  if (before && now && before.uid !== now.uid) {
    window.location.reload();
    return false;
  }
  return now !== undefined;
}

onCsrfRefused(checkIdentity);
