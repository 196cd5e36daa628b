import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' });
const read = (path: string) => readFileSync(join('src', path), 'utf8');

/** Styles hold for the whole page, whichever of it is loaded: a class has one home. */
it('style each class in one file', () => {
  const homes = new Map<string, Set<string>>();
  for (const path of sources.filter((each) => each.endsWith('.css'))) {
    for (const [, name = ''] of read(path).matchAll(/^(\.[a-z][a-z0-9-]*) \{/gm)) {
      homes.set(name, (homes.get(name) ?? new Set()).add(path));
    }
  }
  expect(homes.size).toBeGreaterThan(50);
  expect([...homes].filter(([, files]) => files.size > 1)).toEqual([]);
});

/** What the policy of the page forbids, it does not ask for. */
it('write no style elements and nothing inline', () => {
  for (const path of sources.filter((each) => /\.tsx?$/.test(each))) {
    expect(read(path), path).not.toMatch(/<style|createElement\(['"]style|dangerouslySetInnerHTML/);
  }
  const page = readFileSync('index.html', 'utf8');
  expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)/);
  expect(page).toContain('id="react-aria-pressable-style"');
});
