/** Errors in words: what to do next, and what the server said. */

import type { TFunction } from 'i18next';

import { ApiError, ConnectionError } from '../api/errors';

export interface Explanation {
  advice: string;
  details: string[];
}

function adviceOf(error: ApiError, t: TFunction): string {
  switch (error.code) {
    case 403:
      return t('common.errors.forbidden');
    case 404:
      return t('common.errors.notFound');
    case 409:
      return error.reason === 'AlreadyExists' ? '' : t('common.errors.conflict');
    case 429:
      return t('common.errors.tooMany');
    default:
      return error.code >= 500 ? t('common.errors.server') : '';
  }
}

export function explain(error: unknown, t: TFunction): Explanation {
  if (error instanceof ConnectionError)
    return { advice: t('common.errors.connection'), details: [] };
  if (!(error instanceof ApiError)) {
    return { advice: '', details: [error instanceof Error ? error.message : String(error)] };
  }
  const causes = error.causes
    .filter((each) => each.message)
    .map((each) => (each.field ? `${each.field}: ${each.message ?? ''}` : (each.message ?? '')));
  const details = causes.length > 0 ? causes : [error.message];
  return { advice: adviceOf(error, t), details: [...new Set(details)].slice(0, 10) };
}
