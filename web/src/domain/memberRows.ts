/** Members of one namespace: everybody once, with all the roles that he has in it. */

import { OWNER, rowsOf, type RoleTemplateBinding, type Subject } from './members';

export interface MemberOf {
  key: string;
  subject: Subject;
  /** Oldest first; more than one where roles were added up. */
  bindings: readonly RoleTemplateBinding[];
}

export function membersIn(bindings: readonly RoleTemplateBinding[]): MemberOf[] {
  const found = new Map<string, { subject: Subject; bindings: RoleTemplateBinding[] }>();
  const oldest = [...bindings].sort((one, other) =>
    (one.metadata.creationTimestamp ?? '').localeCompare(other.metadata.creationTimestamp ?? ''),
  );
  for (const { binding, subject } of rowsOf(oldest)) {
    const key = `${subject.kind} ${subject.name}`;
    const known = found.get(key);
    if (known) known.bindings.push(binding);
    else found.set(key, { subject, bindings: [binding] });
  }
  return [...found].map(([key, each]) => ({ key, ...each }));
}

/** What gives the role that counts most: an owner's, or the first that was given. */
export function mainBinding({ bindings }: MemberOf): RoleTemplateBinding | undefined {
  return bindings.find((each) => each.roleTemplateRef.name === OWNER) ?? bindings[0];
}

export function mainRole(member: MemberOf): string {
  return mainBinding(member)?.roleTemplateRef.name ?? '';
}
