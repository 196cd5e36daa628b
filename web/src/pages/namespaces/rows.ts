/** What the page of namespaces shows of each. */

import { useMemo } from 'react';

import { useCollection } from '../../api/collections';
import type { KubeObject } from '../../api/objects';
import {
  MODEL_SERVICES,
  NAMESPACES,
  NOTEBOOKS,
  RESOURCE_QUOTAS,
  ROLE_TEMPLATE_BINDINGS,
} from '../../api/resources';
import {
  byNamespace,
  rowsOf,
  type MemberRow,
  type RoleTemplateBinding,
} from '../../domain/members';
import {
  placeOf,
  stateOf,
  type Namespace,
  type NamespaceState,
  type Place,
} from '../../domain/namespaces';
import { nearest, usesOf, type ResourceQuota, type Use } from '../../domain/quota';
import { useDescription } from '../../i18n/platform';

export interface NamespaceRow {
  namespace: Namespace;
  name: string;
  state: NamespaceState;
  place: Place;
  description: string;
  members: readonly MemberRow[];
  notebooks: number;
  models: number;
  uses: readonly Use[];
  /** The limit that is nearest. */
  use: Use | undefined;
}

function grouped<T extends KubeObject>(items: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const each of items) {
    const place = each.metadata.namespace ?? '';
    const list = found.get(place);
    if (list) list.push(each);
    else found.set(place, [each]);
  }
  return found;
}

const none: readonly never[] = [];

export function useNamespaceRows() {
  const descriptionOf = useDescription();
  const namespaces = useCollection<Namespace>(NAMESPACES);
  const bindings = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  const quotas = useCollection<ResourceQuota>(RESOURCE_QUOTAS);
  const notebooks = useCollection(NOTEBOOKS);
  const models = useCollection(MODEL_SERVICES);

  const membersOf = useMemo(() => byNamespace(bindings.items), [bindings.items]);
  const quotasOf = useMemo(() => grouped(quotas.items), [quotas.items]);
  const notebooksOf = useMemo(() => grouped(notebooks.items), [notebooks.items]);
  const modelsOf = useMemo(() => grouped(models.items), [models.items]);
  const rows = useMemo(
    () =>
      namespaces.items.map((namespace): NamespaceRow => {
        const { name } = namespace.metadata;
        const uses = usesOf(quotasOf.get(name) ?? none);
        return {
          namespace,
          name,
          state: stateOf(namespace),
          place: placeOf(namespace),
          description: descriptionOf(namespace),
          members: rowsOf(membersOf.get(name) ?? none),
          notebooks: notebooksOf.get(name)?.length ?? 0,
          models: modelsOf.get(name)?.length ?? 0,
          uses,
          use: nearest(uses),
        };
      }),
    [namespaces.items, membersOf, quotasOf, notebooksOf, modelsOf, descriptionOf],
  );
  return { rows, freshness: namespaces.freshness, error: namespaces.error };
}
