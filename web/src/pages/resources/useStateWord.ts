import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

import { own } from '../../api/objects';
import { en } from '../../i18n/en';

type Word = keyof typeof en.kinds.states;

/** A word for a state in the user's language; words that nobody translated stay as they are. */
export function useStateWord(): (word: string) => string {
  const { t } = useTranslation();
  return useCallback(
    (word: string) =>
      own<string>(en.kinds.states, word) === undefined ? word : t(`kinds.states.${word as Word}`),
    [t],
  );
}
