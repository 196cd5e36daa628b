/** Users and groups that one may know of. */

import { useMemo } from 'react';

import { useCollection } from '../../../api/collections';
import type { KubeObject } from '../../../api/objects';
import { ROLE_TEMPLATE_BINDINGS, USERS } from '../../../api/resources';
import type { RoleTemplateBinding } from '../../../domain/members';
import type { Option } from '../../../ui/Select';

export interface User extends KubeObject {
  spec?: {
    username?: string;
    displayName?: string;
    groups?: string[];
    isActive?: boolean;
  };
}

/** Whoever is no administrator sees few users; then names are typed. */
export function usePeople(): { users: Option[]; groups: Option[] } {
  const users = useCollection<User>(USERS);
  const bindings = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  return useMemo(() => {
    const groups = new Set<string>();
    const people = new Map<string, Option>();
    for (const each of users.items) {
      const { name } = each.metadata;
      const { displayName, groups: of = [] } = each.spec ?? {};
      people.set(name, { id: name, label: name, ...(displayName && { note: displayName }) });
      for (const group of of) groups.add(group);
    }
    for (const subject of bindings.items.flatMap((each) => each.subjects ?? [])) {
      if (subject.kind === 'Group') groups.add(subject.name);
      else if (!people.has(subject.name)) {
        people.set(subject.name, { id: subject.name, label: subject.name });
      }
    }
    const byId = (one: Option, other: Option) => (one.id < other.id ? -1 : 1);
    return {
      users: [...people.values()].sort(byId),
      groups: [...groups].sort().map((id) => ({ id, label: id })),
    };
  }, [users.items, bindings.items]);
}
