import { describe, expect, it } from 'vitest';

import { CONFIG_MAPS, NOTEBOOKS } from '../../src/api/resources';
import { editedFrom, fromYaml, masked, toYaml } from '../../src/kinds/manifest';

const configMap = {
  metadata: { name: 'a', namespace: 'team', managedFields: [{ manager: 'x' }] },
  data: { key: 'value' },
};

describe('manifests', () => {
  it('begin with version and kind, and leave out what the server keeps for itself', () => {
    const text = toYaml(CONFIG_MAPS, configMap);
    expect(text).toMatch(/^apiVersion: v1\nkind: ConfigMap\n/);
    expect(text).not.toContain('managedFields');
    expect(configMap.metadata.managedFields).toHaveLength(1);
  });

  it('come back as they were', () => {
    const again = fromYaml(CONFIG_MAPS, toYaml(CONFIG_MAPS, configMap));
    expect(again).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'team' },
      data: { key: 'value' },
    });
  });

  it.each([
    ['a: [', 'syntax'],
    ['- a', 'object'],
    ['kind: ConfigMap', 'object'],
    ['kind: Secret\nmetadata: {name: a}', 'kind'],
    ['apiVersion: v2\nkind: ConfigMap\nmetadata: {name: a}', 'kind'],
  ])('are refused where they are none: %s', (text, problem) => {
    expect(() => fromYaml(CONFIG_MAPS, text)).toThrow(expect.objectContaining({ problem }));
  });

  it('do not wander to another object', () => {
    const wander = toYaml(CONFIG_MAPS, {
      ...configMap,
      metadata: { name: 'b', namespace: 'team' },
    });
    expect(() => editedFrom(CONFIG_MAPS, configMap, wander)).toThrow(
      expect.objectContaining({ problem: 'name' }),
    );
    const away = toYaml(CONFIG_MAPS, { ...configMap, metadata: { name: 'a', namespace: 'other' } });
    expect(() => editedFrom(CONFIG_MAPS, configMap, away)).toThrow(
      expect.objectContaining({ problem: 'name' }),
    );
  });

  it('are of the version that they were made of, whoever else wrote meanwhile', () => {
    const newest = { ...configMap, metadata: { ...configMap.metadata, resourceVersion: '9' } };
    const bare = toYaml(CONFIG_MAPS, configMap);
    expect(editedFrom(CONFIG_MAPS, newest, bare, '7').metadata.resourceVersion).toBe('7');
    expect(editedFrom(CONFIG_MAPS, newest, bare).metadata.resourceVersion).toBe('9');
  });

  it('do not grow without end', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [index, letter] of Array.from('bcdefghi').entries()) {
      const before = 'abcdefgh'[index] ?? 'a';
      bomb.push(`${letter}: &${letter} [${Array(9).fill(`*${before}`).join(',')}]`);
    }
    const text = `kind: Notebook\nmetadata: {name: a}\n${bomb.join('\n')}`;
    expect(() => fromYaml(NOTEBOOKS, text)).toThrow(expect.objectContaining({ problem: 'syntax' }));
  });

  it('hide what is secret and keep its keys', () => {
    const secret = { metadata: { name: 's' }, data: { token: 'aGlkZGVu' } };
    const hidden = masked(secret, [['data'], ['stringData'], ['metadata', 'annotations', 'x']]);
    expect(JSON.stringify(hidden)).not.toContain('aGlkZGVu');
    expect(Object.keys(hidden.data)).toEqual(['token']);
  });
});
