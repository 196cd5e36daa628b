import { useTranslation } from 'react-i18next';

import { NOT_FOR_PRODUCTION } from '../domain/namespaces';
import { Banner } from './Banner';

/** Says of the places that everybody shares that nothing that matters belongs there. */
export function NotForProduction({ namespace }: { namespace: string | undefined }) {
  const { t } = useTranslation();
  if (namespace === undefined || !NOT_FOR_PRODUCTION.has(namespace)) return null;
  return <Banner tone="warn">{t('shell.notForProduction', { name: namespace })}</Banner>;
}
