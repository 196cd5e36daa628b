import { Navigate, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { currentIdentity, loadIdentity, signOut } from '../../api/session';
import { safeNext } from '../../app/next';
import { Button } from '../../ui/Button';
import { Loading } from '../../ui/Page';
import { Frame } from './Frame';
import { PasswordForm } from './PasswordForm';

/** Whoever signed in with a password that he was given chooses his own before anything else. */
export function ChoosePasswordPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const { next } = useSearch({ from: '/password' });
  const [known, setKnown] = useState(currentIdentity() !== undefined);
  useEffect(() => {
    if (!known) {
      loadIdentity().then(
        () => setKnown(true),
        () => setKnown(true),
      );
    }
  }, [known]);
  if (!known) return <Loading label={t('common.loading')} />;
  if (currentIdentity() === undefined) return <Navigate to="/signin" />;
  const leave = async () => {
    await signOut();
    router.history.replace('/ui/signin');
  };
  return (
    <Frame title={t('signIn.passwordTitle')} lead={t('signIn.passwordLead')}>
      <PasswordForm onDone={() => router.history.replace(`/ui${safeNext(next)}`)} />
      <Button look="quiet" onPress={() => void leave()}>
        {t('shell.signOut')}
      </Button>
    </Frame>
  );
}
