import { account } from './account';
import { common } from './common';
import { kinds } from './kinds';
import { namespaces } from './namespaces';
import { roles } from './roles';
import { settings } from './settings';
import { shell } from './shell';
import { signIn } from './signIn';
import { users } from './users';

/** The same keys as in English; a test compares them. */
export const zh = { account, common, kinds, namespaces, shell, signIn, roles, settings, users };
export { platform } from './platform';
