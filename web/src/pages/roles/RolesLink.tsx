import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { Scope } from './roleKinds';

/** Leads to the roles of a scope. */
export function RolesLink({ scope }: { scope: Scope }) {
  const { t } = useTranslation();
  return (
    <Link to="/roles" search={scope === 'global' ? { scope } : {}}>
      {scope === 'global' ? t('roles.tabGlobal') : t('roles.tabNamespace')}
    </Link>
  );
}
