import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Freshness } from '../api/collection';
import { Problem } from './Banner';
import { Loading } from './Page';

/** What a list shows once it is there; until then that it comes, or why it may not be seen. */
export function Listed(props: { freshness: Freshness; error: unknown; children: ReactNode }) {
  const { t } = useTranslation();
  if (props.error !== undefined && props.freshness === 'refused') {
    return <Problem error={props.error} />;
  }
  if (props.freshness === 'loading') return <Loading label={t('common.loading')} />;
  return props.children;
}
