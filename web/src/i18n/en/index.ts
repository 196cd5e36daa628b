import { account } from './account';
import { common } from './common';
import { namespaces } from './namespaces';
import { shell } from './shell';
import { signIn } from './signIn';

/** One file for each part of the page; `zh` beside it has the same keys. */
export const en = { account, common, namespaces, shell, signIn } as const;
