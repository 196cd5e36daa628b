import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../api/collections';
import type { KubeObject } from '../api/objects';
import { GLOBAL_ROLES } from '../api/resources';
import type { PolicyRule } from './roles';
import { ADMIN_ROLE } from './users';

export interface GlobalRole extends KubeObject {
  spec?: { displayName?: string; builtin?: boolean; newUserDefault?: boolean };
  rules?: PolicyRule[];
  namespacedRules?: Record<string, PolicyRule[]>;
}

export const USER_ROLE = 'user';

/** The name of a global role as people say it. */
export function useGlobalRoleNames(): (role: string) => string {
  const { t } = useTranslation();
  const { byKey } = useCollection<GlobalRole>(GLOBAL_ROLES);
  return useMemo(() => {
    const builtin = new Map([
      [ADMIN_ROLE, t('roles.administrator')],
      [USER_ROLE, t('roles.standardUser')],
    ]);
    return (role: string) => builtin.get(role) ?? byKey.get(role)?.spec?.displayName ?? role;
  }, [byKey, t]);
}
