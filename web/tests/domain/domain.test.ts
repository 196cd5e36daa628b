import { describe, expect, it } from 'vitest';

import { bindingName, byNamespace, rowsOf, whyNotInForce } from '../../src/domain/members';
import type { RoleTemplateBinding } from '../../src/domain/members';
import { isProtectedKey, isReserved, nameProblem, placeOf } from '../../src/domain/namespaces';
import { nearest, quantity, usesOf } from '../../src/domain/quota';

describe('the name of a new namespace', () => {
  it.each([
    ['', 'empty'],
    ['Team', 'characters'],
    ['team_a', 'characters'],
    ['-team', 'ends'],
    ['team-', 'ends'],
    ['a'.repeat(64), 'tooLong'],
    ['kube-team', 'reserved'],
    ['llmos-team', 'reserved'],
    ['team-a', 'taken'],
    ['team-b', null],
    ['a'.repeat(63), null],
    ['0', null],
  ])('%s: %s', (name, problem) => {
    expect(nameProblem(name, new Map([['team-a', {}]]))).toBe(problem);
  });
});

it('knows the places of namespaces', () => {
  const place = (name: string) => placeOf({ metadata: { name } });
  expect(place('team-a')).toBe('mine');
  expect(place('default')).toBe('mine');
  expect(place('llmos-public')).toBe('public');
  expect(place('kube-system')).toBe('system');
  expect(place('storage-system')).toBe('system');
  expect(isReserved('llmos-gpu-stakc-system')).toBe(true);
});

it('knows what an administrator alone changes', () => {
  expect(isProtectedKey('pod-security.kubernetes.io/enforce')).toBe(true);
  expect(isProtectedKey('kubernetes.io/metadata.name')).toBe(true);
  expect(isProtectedKey('management.llmos.ai/creator')).toBe(true);
  expect(isProtectedKey('llmos.ai/creator')).toBe(true);
  expect(isProtectedKey('notllmos.ai/x')).toBe(false);
  expect(isProtectedKey('team')).toBe(false);
});

describe('quotas', () => {
  it.each([
    ['1', 1],
    ['500m', 0.5],
    ['1Gi', 2 ** 30],
    ['1.5k', 1500],
    ['1e3', 1000],
    ['2E', 2e18],
  ])('reads %s', (text, number) => {
    expect(quantity(text)).toBeCloseTo(number);
  });

  it('refuses what is no quantity', () => {
    expect(quantity('many')).toBeNaN();
    expect(quantity('1 Gi')).toBeNaN();
  });

  it('takes the tightest of several', () => {
    const quota = (hard: string, used: string) => ({
      metadata: { name: `q${hard}` },
      status: { hard: { cpu: hard }, used: { cpu: used } },
    });
    const uses = usesOf([quota('10', '2'), quota('4', '2')]);
    expect(uses).toHaveLength(1);
    expect(nearest(uses)).toMatchObject({ hard: '4', share: 0.5 });
  });
});

describe('members', () => {
  it('have bindings of the names that the command gives them', async () => {
    expect(
      await bindingName('team-vision', {
        member: { kind: 'User', name: 'alice' },
        template: 'namespace-owner',
      }),
    ).toBe('team-vision-alice-ec4dd778');
    expect(
      await bindingName('team-vision', {
        member: { kind: 'Group', name: '研究 Gruppe' },
        template: 'namespace-editor',
      }),
    ).toBe('team-vision-gruppe-15fdbf6e');
  });

  it('are the subjects of the bindings of their namespace', () => {
    const binding = (kind: 'RoleTemplate' | 'GlobalRole', namespaceId?: string) =>
      ({
        metadata: { name: `b-${kind}` },
        roleTemplateRef: { kind, name: 'namespace-owner' },
        subjects: [
          { kind: 'User', name: 'alice' },
          { kind: 'Group', name: 'vision' },
        ],
        ...(namespaceId !== undefined && { namespaceId }),
      }) satisfies RoleTemplateBinding;
    const found = byNamespace([binding('RoleTemplate', 'a'), binding('GlobalRole')]);
    expect([...found.keys()]).toEqual(['a']);
    expect(rowsOf(found.get('a') ?? []).map((each) => each.subject.name)).toEqual([
      'alice',
      'vision',
    ]);
  });

  it('are told why a binding is not in force', () => {
    const binding = (conditions?: { type: string; status: string; reason?: string }[]) =>
      ({
        metadata: { name: 'b' },
        roleTemplateRef: { kind: 'RoleTemplate', name: 'x' },
        ...(conditions && { status: { conditions } }),
      }) satisfies RoleTemplateBinding;
    expect(whyNotInForce(binding())).toBe('Pending');
    expect(whyNotInForce(binding([{ type: 'InForce', status: 'True' }]))).toBe('');
    expect(whyNotInForce(binding([{ type: 'InForce', status: 'False', reason: 'Expired' }]))).toBe(
      'Expired',
    );
  });
});
