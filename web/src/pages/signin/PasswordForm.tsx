import { useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../../api/errors';
import { changePassword, currentIdentity } from '../../api/session';
import { Problem } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Fields';
import { useAttempt } from '../../ui/useAttempt';

/** Changes one's own password. */
export function PasswordForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const { busy, error, attempt } = useAttempt();
  const differ = again !== '' && again !== next;
  const refused = error instanceof ApiError ? error.fieldMessage('newPassword') : undefined;

  const submit = () =>
    attempt(async () => {
      await changePassword(current, next);
      setCurrent('');
      setNext('');
      setAgain('');
      onDone();
    });

  return (
    <Form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && !differ) void submit();
      }}
    >
      {error !== undefined && refused === undefined && <Problem error={error} />}
      {/* Password managers want to know whose password it is. */}
      <input
        className="visually-hidden"
        type="text"
        autoComplete="username"
        aria-hidden
        tabIndex={-1}
        readOnly
        value={currentIdentity()?.username ?? ''}
      />
      <TextField
        label={t('signIn.current')}
        type="password"
        autoComplete="current-password"
        isRequired
        value={current}
        onChange={setCurrent}
      />
      <TextField
        label={t('signIn.next')}
        type="password"
        autoComplete="new-password"
        isRequired
        hint={t('signIn.nextHint')}
        problem={refused}
        value={next}
        onChange={setNext}
      />
      <TextField
        label={t('signIn.again')}
        type="password"
        autoComplete="new-password"
        isRequired
        problem={differ ? t('signIn.differ') : undefined}
        value={again}
        onChange={setAgain}
      />
      <Button
        look="primary"
        type="submit"
        busy={busy}
        isDisabled={current === '' || next === '' || again !== next}
      >
        {t('signIn.change')}
      </Button>
    </Form>
  );
}
