import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { hasCode } from '../../api/errors';
import { signIn } from '../../api/session';
import { safeNext } from '../../app/next';
import { Banner, Problem } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Fields';
import { Frame } from './Frame';
import { useAttempt } from '../../ui/useAttempt';

export function SignInPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const navigate = useNavigate();
  const { next } = useSearch({ from: '/signin' });
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { busy, error, attempt } = useAttempt();

  const submit = () =>
    attempt(async () => {
      const identity = await signIn(username, password);
      setPassword('');
      if (identity?.mustChangePassword) {
        await navigate({ to: '/password', search: { ...(next !== undefined && { next }) } });
      } else {
        router.history.replace(`/ui${safeNext(next)}`);
      }
    });

  return (
    <Frame title={t('signIn.title')} lead={t('signIn.lead')}>
      <Form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void submit();
        }}
      >
        {error !== undefined &&
          (hasCode(error, 401) ? (
            <Banner tone="bad">{t('signIn.wrong')}</Banner>
          ) : (
            <Problem error={error} />
          ))}
        <TextField
          label={t('signIn.username')}
          name="username"
          autoComplete="username"
          isRequired
          value={username}
          onChange={setUsername}
        />
        <TextField
          label={t('signIn.password')}
          name="password"
          type="password"
          autoComplete="current-password"
          isRequired
          value={password}
          onChange={setPassword}
        />
        <Button
          look="primary"
          type="submit"
          busy={busy}
          isDisabled={username === '' || password === ''}
        >
          {t('signIn.submit')}
        </Button>
      </Form>
    </Frame>
  );
}
