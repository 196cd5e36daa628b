/** Rules of RBAC, sorted by what they let one do, for saying them in words. */

import type { PolicyRule } from './roles';

export type Deed = 'everything' | 'read' | 'change' | 'call';

export interface Words {
  deed: Deed;
  /** Resources, as `deployments.apps`; `*` for all. */
  resources: readonly string[];
}

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const CHANGES: ReadonlySet<string> = new Set([
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
]);

function deedOf(verbs: readonly string[]): Deed {
  if (verbs.includes('*')) return 'everything';
  if (verbs.some((each) => CHANGES.has(each))) return 'change';
  return verbs.some((each) => READS.has(each)) ? 'read' : 'call';
}

function resourcesOf(rule: PolicyRule): string[] {
  const groups = rule.apiGroups ?? [''];
  return (rule.resources ?? []).flatMap((resource) =>
    groups.map((group) => (group === '' ? resource : `${resource}.${group}`)),
  );
}

/** Resources by their API group, the core group as `''`. */
export function byGroup(resources: readonly string[]): [group: string, resources: string[]][] {
  const groups = Map.groupBy(resources, (each) => {
    const dot = each.indexOf('.');
    return dot < 0 ? '' : each.slice(dot + 1);
  });
  return [...groups]
    .map(([group, all]): [string, string[]] => [
      group,
      all.map((each) => (group === '' ? each : each.slice(0, -group.length - 1))),
    ])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/** What rules allow, the most first; what one deed names, a lesser one does not repeat. */
export function wordsOf(rules: readonly PolicyRule[]): Words[] {
  const order: readonly Deed[] = ['everything', 'change', 'read', 'call'];
  const said = new Set<string>();
  const words: Words[] = [];
  for (const deed of order) {
    const resources = new Set<string>();
    for (const rule of rules) {
      if (deedOf(rule.verbs) !== deed) continue;
      for (const each of resourcesOf(rule)) if (!said.has(each)) resources.add(each);
    }
    for (const each of resources) said.add(each);
    if (resources.size > 0) words.push({ deed, resources: [...resources].sort() });
  }
  return words;
}
