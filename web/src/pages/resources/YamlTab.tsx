import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';

import type { KubeObject } from '../../api/objects';
import type { Kind } from '../../kinds/kind';
import { Loading } from '../../ui/Page';

const YamlContent = lazy(() => import('./YamlContent'));

/** Fetched when it is looked at: an editor weighs as much as the rest of the page. */
export function YamlTab(props: { kind: Kind; object: KubeObject }) {
  const { t } = useTranslation();
  return (
    <Suspense fallback={<Loading label={t('common.loading')} />}>
      <YamlContent {...props} />
    </Suspense>
  );
}
