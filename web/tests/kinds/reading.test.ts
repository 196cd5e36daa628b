import { describe, expect, it } from 'vitest';

import { at, textsAt, withAt } from '../../src/kinds/reading';

describe('reading places of objects', () => {
  it('finds what is there, and nothing that JavaScript puts there', () => {
    const object = { spec: { containers: [{ image: 'a' }] } };
    expect(at(object, 'spec', 'containers', 0, 'image')).toBe('a');
    expect(at(object, 'spec', 'containers', 1, 'image')).toBeUndefined();
    expect(at(object, 'constructor')).toBeUndefined();
    expect(at(object, 'spec', '__proto__')).toBeUndefined();
    expect(at(object, 'spec', 0)).toBeUndefined();
  });

  it('writes a copy, in the order that was', () => {
    const object = { a: 1, b: { c: 2, d: 3 } };
    const next = withAt(object, ['b', 'c'], 4);
    expect(next).toEqual({ a: 1, b: { c: 4, d: 3 } });
    expect(Object.keys(next.b)).toEqual(['c', 'd']);
    expect(object.b.c).toBe(2);
  });

  it('makes what is missing on the way, and takes away what is empty', () => {
    const made = withAt<object>({}, ['spec', 'containers', 0, 'image'], 'x');
    expect(made).toEqual({ spec: { containers: [{ image: 'x' }] } });
    expect(withAt(made, ['spec', 'containers', 0, 'image'], undefined)).toBeUndefined();
    const two = { name: 'n', limits: { cpu: '1' } };
    expect(withAt(two, ['limits', 'cpu'], undefined)).toEqual({ name: 'n' });
  });

  it('keeps evil keys as keys', () => {
    const evil = JSON.parse('{"data":{"__proto__":"x","constructor":"y"}}') as object;
    expect([...textsAt(evil, 'data')]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    const written = withAt<object>({}, ['data', '__proto__'], { isAdmin: true });
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(Object.keys(at(written, 'data') as object)).toEqual(['__proto__']);
  });
});
