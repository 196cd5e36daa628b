import { useTranslation } from 'react-i18next';

import { useMay, type Answer } from '../../api/access';
import { USERS } from '../../api/resources';
import { useIdentity } from '../../app/useIdentity';
import { usernameOf, type User } from '../../domain/users';

/** Whether one may give a user a new password; one's own is changed elsewhere. */
export function useMayReset(user: User): Answer {
  const { t } = useTranslation();
  const identity = useIdentity();
  const answer = useMay({
    verb: 'update',
    resource: USERS,
    subresource: 'password',
    name: user.metadata.name,
  });
  return identity?.username === usernameOf(user)
    ? { allowed: false, reason: t('users.ownPassword') }
    : answer;
}
