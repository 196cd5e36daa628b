import { useGlobalRoleNames } from '../../domain/globalRoles';
import { useRoleNames } from '../../domain/roles';
import type { Scope } from './roleKinds';

/** The name of a role of either kind, as people say it. */
export function useRoleName(scope: Scope): (name: string) => string {
  const namespaced = useRoleNames();
  const global = useGlobalRoleNames();
  return scope === 'global' ? global : namespaced;
}
