/** Rules of roles: what is served to choose from, and whether a rule says something. */

import type { ServedResource } from '../api/discovery';
import type { PolicyRule } from './roles';

export const ALL = '*';
export const READ: readonly string[] = ['get', 'list', 'watch'];
export const WRITE: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Verbs that RBAC itself knows of certain resources. */
const special: ReadonlyMap<string, readonly string[]> = new Map([
  ['roletemplates', ['bind', 'escalate']],
  ['globalroles', ['bind', 'escalate']],
  ['roles', ['bind', 'escalate']],
  ['clusterroles', ['bind', 'escalate']],
  ['users', ['impersonate']],
  ['groups', ['impersonate']],
  ['serviceaccounts', ['impersonate']],
]);

/** The permission to manage the members of a namespace: no resource is served below this name. */
const MEMBERS = { name: 'members', verbs: ['get', 'list', ...WRITE.slice(0, -1)] };

/** The resources of a scope: those of namespaces, with the namespace itself, or all. */
export function inScope(
  served: readonly ServedResource[],
  namespaced: boolean,
): readonly ServedResource[] {
  return served
    .filter((each) => !namespaced || each.namespaced || isNamespaces(each))
    .map((each) =>
      isNamespaces(each) ? { ...each, subresources: [...each.subresources, MEMBERS] } : each,
    );
}

const isNamespaces = (each: ServedResource) => each.group === '' && each.plural === 'namespaces';

export function groupsOf(served: readonly ServedResource[]): string[] {
  const found = [...new Set(served.map((each) => each.group))];
  return [ALL, ...found.sort()];
}

const covers = (chosen: readonly string[] | undefined, value: string) =>
  chosen === undefined || chosen.includes(ALL) || chosen.includes(value);

/** The resources, and what lies below them, of the groups that a rule names. */
export function resourcesOf(
  served: readonly ServedResource[],
  groups: readonly string[],
): string[] {
  const found = new Set<string>();
  for (const each of served) {
    if (!covers(groups, each.group)) continue;
    found.add(each.plural);
    for (const sub of each.subresources) found.add(`${each.plural}/${sub.name}`);
  }
  return [ALL, ...[...found].sort()];
}

/** The verbs that are served of what a rule names, in the order in which people read them. */
export function verbsOf(served: readonly ServedResource[], rule: PolicyRule): string[] {
  const found = new Set<string>();
  const { apiGroups = [], resources = [] } = rule;
  for (const each of served) {
    if (!covers(apiGroups, each.group)) continue;
    if (covers(resources, each.plural)) {
      for (const verb of each.verbs) found.add(verb);
      for (const verb of special.get(each.plural) ?? []) found.add(verb);
    }
    for (const sub of each.subresources) {
      const named = resources.includes(`${each.plural}/${sub.name}`) || resources.includes(ALL);
      if (named) for (const verb of sub.verbs) found.add(verb);
    }
  }
  if (found.size === 0) for (const verb of [...READ, ...WRITE]) found.add(verb);
  const order = [...READ, ...WRITE];
  const rank = (verb: string) => {
    const index = order.indexOf(verb);
    return index === -1 ? order.length : index;
  };
  return [...found].sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
}

/** The resources of a rule that nobody serves: perhaps mistyped, perhaps yet to come. */
export function unserved(served: readonly ServedResource[], rule: PolicyRule): string[] {
  const known = resourcesOf(served, rule.apiGroups ?? []);
  return (rule.resources ?? []).filter(
    (each) => !known.includes(each) && !each.endsWith('/*') && !each.startsWith('*/'),
  );
}

export function isUrlRule(rule: PolicyRule): boolean {
  return rule.nonResourceURLs !== undefined && rule.nonResourceURLs.length > 0;
}

/** Whether the API can take a rule. */
export function isWhole(rule: PolicyRule): boolean {
  if (rule.verbs.length === 0) return false;
  if (rule.nonResourceURLs !== undefined) return rule.nonResourceURLs.length > 0;
  return (rule.apiGroups ?? []).length > 0 && (rule.resources ?? []).length > 0;
}
