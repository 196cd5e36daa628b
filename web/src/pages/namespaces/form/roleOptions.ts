import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../../../api/collections';
import { ROLE_TEMPLATES } from '../../../api/resources';
import { BUILTIN_TEMPLATES } from '../../../domain/members';
import { useRoleNames, type RoleTemplate } from '../../../domain/roles';
import { useDescription } from '../../../i18n/platform';
import type { Option } from '../../../ui/Select';

/** The roles that members may be given: the three of the platform first. */
export function useRoleOptions(): Option[] {
  const { t } = useTranslation();
  const { items } = useCollection<RoleTemplate>(ROLE_TEMPLATES);
  const roleName = useRoleNames();
  const descriptionOf = useDescription();
  return useMemo(() => {
    const builtin = new Map([
      ['namespace-owner', t('namespaces.ownerNote')],
      ['namespace-editor', t('namespaces.editorNote')],
      ['namespace-readonly', t('namespaces.readOnlyNote')],
    ]);
    const own = items
      .filter((each) => !builtin.has(each.metadata.name))
      .sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
    return [
      ...BUILTIN_TEMPLATES.map((id) => ({
        id,
        label: roleName(id),
        note: builtin.get(id) ?? '',
      })),
      ...own.map((each) => ({
        id: each.metadata.name,
        label: roleName(each.metadata.name),
        note: descriptionOf(each),
        why: each.spec?.locked ? t('namespaces.roleLocked') : undefined,
      })),
    ];
  }, [items, roleName, descriptionOf, t]);
}
