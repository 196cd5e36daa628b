import type { ParseKeys } from 'i18next';

/** What is wrong with the name of a new object (RFC 1123 subdomain); undefined: nothing, or it is empty. */
export function nameProblem(name: string): ParseKeys | undefined {
  if (name === '') return undefined;
  if (/[^a-z0-9.-]/.test(name)) return 'kinds.problems.nameCharacters';
  if (!/^[a-z0-9]/.test(name) || !/[a-z0-9]$/.test(name)) return 'kinds.problems.nameEnds';
  return name.length > 253 ? 'kinds.problems.nameLong' : undefined;
}
