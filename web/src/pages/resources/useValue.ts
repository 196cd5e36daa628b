import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

import { own, type KubeObject } from '../../api/objects';
import type { KindColumn } from '../../kinds/kind';

/** What a column says of an object, in the user's language where there are words for it. */
export function useValue(): (column: KindColumn, object: KubeObject) => string {
  const { t } = useTranslation();
  return useCallback(
    (column: KindColumn, object: KubeObject) => {
      const text = String(column.value(object));
      const word = column.words && own(column.words, text);
      return word === undefined ? text : t(word);
    },
    [t],
  );
}
