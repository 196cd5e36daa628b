/** The two kinds of roles: those for namespaces, and those for the whole cluster. */

import type { KubeObject } from '../../api/objects';
import { GLOBAL_ROLES, ROLE_TEMPLATES, type Resource } from '../../api/resources';
import type { GlobalRole } from '../../domain/globalRoles';
import type { PolicyRule } from '../../domain/roles';

export type Scope = 'namespace' | 'global';

export interface Role extends KubeObject {
  spec?: {
    displayName?: string;
    builtin?: boolean;
    locked?: boolean;
    newNamespaceDefault?: boolean;
    newUserDefault?: boolean;
  };
  rules?: PolicyRule[];
  namespacedRules?: GlobalRole['namespacedRules'];
}

export interface RoleKind {
  scope: Scope;
  resource: Resource;
  /** How a binding names it. */
  refKind: 'RoleTemplate' | 'GlobalRole';
  /** The field that gives it to who or what is new. */
  defaultField: 'newNamespaceDefault' | 'newUserDefault';
}

export const ROLE_KINDS: Record<Scope, RoleKind> = {
  namespace: {
    scope: 'namespace',
    resource: ROLE_TEMPLATES,
    refKind: 'RoleTemplate',
    defaultField: 'newNamespaceDefault',
  },
  global: {
    scope: 'global',
    resource: GLOBAL_ROLES,
    refKind: 'GlobalRole',
    defaultField: 'newUserDefault',
  },
};

export function scopeOf(text: unknown): Scope {
  return text === 'global' ? 'global' : 'namespace';
}
