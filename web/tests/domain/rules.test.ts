import { describe, expect, it } from 'vitest';

import type { ServedResource } from '../../src/api/discovery';
import { groupsOf, inScope, isWhole, resourcesOf, unserved, verbsOf } from '../../src/domain/rules';

const served = (
  plural: string,
  group: string,
  namespaced: boolean,
  verbs: string[],
  subresources: ServedResource['subresources'] = [],
): ServedResource => ({
  plural,
  group,
  version: 'v1',
  kind: plural,
  namespaced,
  verbs,
  subresources,
});

const all = [
  served(
    'pods',
    '',
    true,
    ['watch', 'list', 'get', 'delete', 'create'],
    [
      { name: 'log', verbs: ['get'] },
      { name: 'exec', verbs: ['create'] },
    ],
  ),
  served('namespaces', '', false, ['get', 'list']),
  served('nodes', '', false, ['get', 'list']),
  served('deployments', 'apps', true, ['get', 'list', 'patch']),
  served('roletemplates', 'management.llmos.ai', false, ['get', 'list']),
];

describe('what a rule is chosen from', () => {
  it('is what is served in its scope', () => {
    expect(groupsOf(inScope(all, true))).toEqual(['*', '', 'apps']);
    expect(groupsOf(inScope(all, false))).toEqual(['*', '', 'apps', 'management.llmos.ai']);
    const names = resourcesOf(inScope(all, true), ['']);
    expect(names).toContain('pods/log');
    expect(names).not.toContain('nodes');
    expect(names).not.toContain('deployments');
  });

  it('has the namespace itself and its members in it', () => {
    const here = inScope(all, true);
    expect(resourcesOf(here, [''])).toContain('namespaces/members');
    const verbs = verbsOf(here, {
      apiGroups: [''],
      resources: ['namespaces/members'],
      verbs: [],
    });
    expect(verbs).toEqual(['get', 'list', 'create', 'update', 'patch', 'delete']);
  });

  it('has the verbs of what is chosen, as people read them', () => {
    const pods = { apiGroups: [''], resources: ['pods'], verbs: [] };
    expect(verbsOf(all, pods)).toEqual(['get', 'list', 'watch', 'create', 'delete']);
    const log = { apiGroups: [''], resources: ['pods/log'], verbs: [] };
    expect(verbsOf(all, log)).toEqual(['get']);
    const roles = {
      apiGroups: ['management.llmos.ai'],
      resources: ['roletemplates'],
      verbs: [],
    };
    expect(verbsOf(all, roles)).toEqual(['get', 'list', 'bind', 'escalate']);
  });

  it('tells what nobody serves', () => {
    const rule = { apiGroups: [''], resources: ['pods', 'podds', '*', 'pods/*'], verbs: ['get'] };
    expect(unserved(all, rule)).toEqual(['podds']);
  });
});

describe('a rule', () => {
  it.each([
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, true],
    [{ verbs: [], apiGroups: [''], resources: ['pods'] }, false],
    [{ verbs: ['get'], apiGroups: [], resources: ['pods'] }, false],
    [{ verbs: ['get'], apiGroups: [''], resources: [] }, false],
    [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }, true],
    [{ verbs: ['get'], nonResourceURLs: [] }, false],
  ])('is whole or not: %j', (rule, whole) => {
    expect(isWhole(rule)).toBe(whole);
  });
});
