import { useTranslation } from 'react-i18next';

import { ManifestError } from '../../kinds/manifest';
import { Banner, Problem } from '../../ui/Banner';

/** What is wrong with a manifest: as it is written, or as the server sees it. */
export function ManifestProblem({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof ManifestError)) return <Problem error={error} />;
  return (
    <Banner tone="bad" title={t('common.errors.title')}>
      <bdi>{t(`kinds.manifest.${error.problem}`, { text: error.message })}</bdi>
    </Banner>
  );
}
