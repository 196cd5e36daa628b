/** Roles in words. */

import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../api/collections';
import type { KubeObject } from '../api/objects';
import { ROLE_TEMPLATES } from '../api/resources';
import { EDITOR, OWNER, READ_ONLY } from './members';

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface RoleTemplate extends KubeObject {
  spec?: {
    displayName?: string;
    builtin?: boolean;
    locked?: boolean;
    newNamespaceDefault?: boolean;
  };
  rules?: PolicyRule[];
}

/** The name of a role as people say it, by the name of its template. */
export function useRoleNames(): (template: string) => string {
  const { t } = useTranslation();
  const { byKey } = useCollection<RoleTemplate>(ROLE_TEMPLATES);
  return useMemo(() => {
    const builtin = new Map([
      [OWNER, t('namespaces.owner')],
      [EDITOR, t('namespaces.editor')],
      [READ_ONLY, t('namespaces.readOnly')],
    ]);
    return (template: string) =>
      builtin.get(template) ?? byKey.get(template)?.spec?.displayName ?? template;
  }, [byKey, t]);
}
