import { account } from './account';
import { common } from './common';
import { kinds } from './kinds';
import { namespaces } from './namespaces';
import { roles } from './roles';
import { settings } from './settings';
import { shell } from './shell';
import { signIn } from './signIn';
import { users } from './users';

/** One file for each part of the page; `zh` beside it has the same keys. */
export const en = {
  account,
  common,
  kinds,
  namespaces,
  shell,
  signIn,
  roles,
  settings,
  users,
} as const;
