import { useTranslation } from 'react-i18next';

import type { Answer } from '../api/access';

/** Why something may not be done, in words; undefined: it may, or nobody knows yet. */
export function useWhyNot(): (answer: Answer) => string | undefined {
  const { t } = useTranslation();
  return (answer) => {
    if (answer.allowed !== false) return undefined;
    return answer.reason
      ? t('common.notAllowed', { reason: answer.reason })
      : t('common.notAllowedPlain');
  };
}
