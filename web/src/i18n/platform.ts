/** Texts that the platform wrote into its own objects, in the user's language. */

import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

import { own, type KubeObject } from '../api/objects';
import { descriptionOf } from '../domain/namespaces';

let texts: Readonly<Record<string, string>> = {};

/** Use these from now on; the rest of the page is told by the language that changes. */
export function setPlatformTexts(next: Readonly<Record<string, string>>): void {
  texts = next;
}

/** What an object says of itself: in the user's language where the platform wrote it. */
export function useDescription(): (object: KubeObject) => string {
  const { t } = useTranslation();
  return useCallback(
    (object: KubeObject) => {
      const text = descriptionOf(object);
      return own(texts, text) ?? text;
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another language has other texts
    [t],
  );
}
