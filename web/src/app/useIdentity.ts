import { useSyncExternalStore } from 'react';

import { currentIdentity, subscribeToIdentity, type Identity } from '../api/session';

/** Who is signed in; undefined on the way out. */
export function useIdentity(): Identity | undefined {
  return useSyncExternalStore((listener) => subscribeToIdentity(listener), currentIdentity);
}
