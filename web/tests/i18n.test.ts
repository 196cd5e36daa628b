import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { chooseLanguage } from '../src/i18n';
import { en } from '../src/i18n/en';
import { DESCRIPTION } from '../src/domain/namespaces';
import { platform, zh } from '../src/i18n/zh';

type Messages = string | { [key: string]: Messages };

function texts(messages: Messages, path = ''): Map<string, string> {
  if (typeof messages === 'string') return new Map([[path, messages]]);
  return new Map(
    Object.entries(messages).flatMap(([key, each]) => [
      ...texts(each, path ? `${path}.${key}` : key),
    ]),
  );
}

/** Plural forms are one message; how many there are depends on the language. */
const base = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '');
const bases = (messages: Messages) => new Set([...texts(messages).keys()].map(base));
const placeholders = (text: string) =>
  new Set([...text.matchAll(/\{\{(\w+)(?:, spaced)?\}\}/g)].map((m) => m[1]));

/** What is said of objects, wherever in a document they are. */
function described(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]: [string, unknown]) =>
    key === DESCRIPTION ? [String(each)] : described(each),
  );
}

describe('messages', () => {
  it('are the same in both languages', () => {
    expect([...bases(zh)].sort()).toEqual([...bases(en)].sort());
  });

  it('have the plural forms of their language', () => {
    for (const [key] of texts(en)) {
      if (key.endsWith('_one')) expect(texts(en).has(`${base(key)}_other`), key).toBe(true);
    }
    for (const [key] of texts(zh)) expect(key).not.toMatch(/_one$/);
  });

  it('say something, and about the same things', () => {
    const english = texts(en);
    for (const [key, text] of texts(zh)) {
      expect(text.trim(), key).not.toBe('');
      const one = english.get(key) ?? english.get(`${base(key)}_other`) ?? '';
      expect(placeholders(text), key).toEqual(placeholders(one));
    }
    for (const [key, text] of english) expect(text.trim(), key).not.toBe('');
  });

  it('keep Chinese words together, and others apart from them', async () => {
    await chooseLanguage('zh');
    expect(i18next.t('kinds.create', { kind: '模型服务' })).toBe('创建模型服务');
    expect(i18next.t('kinds.create', { kind: 'Notebook' })).toBe('创建 Notebook');
  });

  it('say what the platform wrote into its objects too', () => {
    const manifests = join(import.meta.dirname, '../../src/llmos/manifests');
    const written = ['namespaces', 'roles', 'settings'].flatMap((folder) =>
      readdirSync(join(manifests, folder)).flatMap((file) =>
        parseAllDocuments(readFileSync(join(manifests, folder, file), 'utf8')).flatMap((each) =>
          described(each.toJS()),
        ),
      ),
    );
    expect(new Set(written).size).toBeGreaterThan(20);
    expect(written.filter((text) => !(text in platform))).toEqual([]);
    expect(Object.keys(platform).filter((text) => !written.includes(text))).toEqual([]);
  });
});
