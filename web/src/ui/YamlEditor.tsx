import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';

import { Loading } from './Page';
import type { YamlEditorProps } from './yaml/Editor';

const Editor = lazy(() => import('./yaml/Editor'));

/** An editor for YAML; it is fetched when the first one is shown. */
export function YamlEditor(props: YamlEditorProps) {
  const { t } = useTranslation();
  return (
    <Suspense fallback={<Loading label={t('common.loading')} />}>
      <Editor {...props} />
    </Suspense>
  );
}
