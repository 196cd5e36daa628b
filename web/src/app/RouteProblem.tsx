import type { ErrorComponentProps } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Problem } from '../ui/Banner';
import { Button } from '../ui/Button';
import { ButtonLink } from '../ui/Links';
import { Empty } from '../ui/Page';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Empty
      icon={<Compass aria-hidden />}
      title={t('shell.notFound')}
      hint={t('shell.notFoundHint')}
      action={<ButtonLink to="/namespaces">{t('shell.toHome')}</ButtonLink>}
    />
  );
}

/** A page could not be shown: a chunk of it did not come, or it has a mistake. */
export function RouteProblem({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <Problem error={error} action={<Button onPress={reset}>{t('common.retry')}</Button>} />
    </div>
  );
}
