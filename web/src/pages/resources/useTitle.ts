import { useTranslation } from 'react-i18next';

import type { Kind } from '../../kinds/kind';

/** What the objects of a kind are called together: in the user's language, or as the API has it. */
export function useTitle(): (kind: Kind) => string {
  const { t } = useTranslation();
  return (kind) => (kind.title === undefined ? kind.resource.kind : t(kind.title));
}

/** What one of them is called. */
export function useOne(): (kind: Kind) => string {
  const { t } = useTranslation();
  return (kind) => (kind.one === undefined ? kind.resource.kind : t(kind.one));
}
