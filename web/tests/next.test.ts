import { describe, expect, it } from 'vitest';

import { safeNext } from '../src/app/next';

describe('where one goes after signing in', () => {
  it.each(['/namespaces/team-a', '/account', '/namespaces?ns=a,b', '/namespaces/a?tab=members'])(
    'is the page that was asked for: %s',
    (next) => {
      expect(safeNext(next)).toBe(next);
    },
  );

  it.each([
    undefined,
    '',
    '//evil.test',
    '/\\evil.test',
    '\\/evil.test',
    'https:evil.test',
    'https://evil.test',
    '%2f%2fevil.test',
    '/%09/evil.test',
    '/\t/evil.test',
    'javascript:alert(1)',
    'evil.test',
    '/.//evil.test',
    '/..//evil.test',
    '/a/..//evil.test',
    '/signin?next=/signin',
    '/namespaces#<b>',
  ])('is never anywhere else: %s', (next) => {
    const path = safeNext(next);
    expect(path === '/namespaces' || path.startsWith('/%09/')).toBe(true);
    expect(new URL(`/ui${path}`, 'https://llmos.test').origin).toBe('https://llmos.test');
    expect(new URL(`/ui${path}`, 'https://llmos.test').pathname).toMatch(/^\/ui\//);
  });
});
