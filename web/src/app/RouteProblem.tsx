import type { ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Frame } from '../pages/signin/Frame';
import { Problem } from '../ui/Banner';
import { Button } from '../ui/Button';
import { ButtonLink } from '../ui/Links';
import { Page } from '../ui/Page';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Frame title={t('shell.notFound')} lead={t('shell.notFoundHint')}>
      <ButtonLink to="/namespaces">{t('shell.toHome')}</ButtonLink>
    </Frame>
  );
}

/** A page could not be shown: a chunk of it did not come, or it has a mistake. */
export function RouteProblem({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <Page title={t('common.errors.title')}>
      <Problem error={error} action={<Button onPress={reset}>{t('common.retry')}</Button>} />
    </Page>
  );
}
