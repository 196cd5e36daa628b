import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { collectionOf } from '../../api/collections';
import { USERS, deleteObject } from '../../api/resources';
import { resetPassword, setActive, usernameOf, type User } from '../../domain/users';
import { FormDialog } from '../../ui/Dialog';
import { toast } from '../../ui/toasts';
import { OneTimePassword } from './OneTimePassword';

/** What is done to a user after one more question. */
export type Deed = 'password' | 'activate' | 'deactivate' | 'delete';

interface Props {
  user: User | undefined;
  deed: Deed | undefined;
  onClose: () => void;
  onDeleted?: () => void;
}

export function UserDeeds({ user, deed, onClose, onDeleted }: Props) {
  const { t } = useTranslation();
  const [once, setOnce] = useState<{ user: string; password: string }>();
  const name = user ? usernameOf(user) : '';
  const active = async (wanted: boolean) => {
    if (!user) return;
    collectionOf<User>(USERS).put(await setActive(user, wanted));
    toast({ tone: 'ok', title: t(wanted ? 'users.activated' : 'users.deactivated', { name }) });
  };
  const remove = async () => {
    if (!user) return;
    await deleteObject(USERS, user);
    toast({ tone: 'ok', title: t('kinds.deleted', { count: 1, name }) });
    onDeleted?.();
  };
  const reset = async () => {
    if (!user) return;
    setOnce({ user: name, password: await resetPassword(user.metadata.name) });
  };
  const words = {
    password: {
      title: t('users.resetTitle', { name }),
      lead: t('users.resetLead'),
      submit: t('users.resetPassword'),
      run: reset,
    },
    activate: {
      title: t('users.activateTitle', { name }),
      lead: t('users.activateLead'),
      submit: t('users.activate'),
      run: () => active(true),
    },
    deactivate: {
      title: t('users.deactivateTitle', { name }),
      lead: t('users.deactivateLead'),
      submit: t('users.deactivate'),
      run: () => active(false),
    },
    delete: {
      title: t('users.deleteTitle', { name }),
      lead: t('users.deleteLead'),
      submit: t('common.delete'),
      run: remove,
    },
  };
  // While it fades away a dialog keeps its words.
  const shown = words[deed ?? 'password'];
  return (
    <>
      <FormDialog
        title={<bdi>{shown.title}</bdi>}
        open={user !== undefined && deed !== undefined}
        onClose={onClose}
        submit={shown.submit}
        danger={deed === 'delete' || deed === 'deactivate'}
        onSubmit={shown.run}
      >
        <p>{shown.lead}</p>
      </FormDialog>
      <OneTimePassword
        user={once?.user ?? ''}
        password={once?.password}
        onClose={() => setOnce(undefined)}
      />
    </>
  );
}
