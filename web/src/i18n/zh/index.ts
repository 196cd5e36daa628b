import { account } from './account';
import { common } from './common';
import { namespaces } from './namespaces';
import { shell } from './shell';
import { signIn } from './signIn';

/** The same keys as in English; a test compares them. */
export const zh = { account, common, namespaces, shell, signIn };
