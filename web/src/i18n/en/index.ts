import { account } from './account';
import { common } from './common';
import { kinds } from './kinds';
import { namespaces } from './namespaces';
import { shell } from './shell';
import { signIn } from './signIn';

/** One file for each part of the page; `zh` beside it has the same keys. */
export const en = { account, common, kinds, namespaces, shell, signIn } as const;
