import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../../api/collections';
import { USERS } from '../../api/resources';
import { groupProblem, type Profile, type User } from '../../domain/users';
import { TextField } from '../../ui/Fields';
import { TagsField } from '../../ui/TagsField';

export function isProfileRight({ email, groups }: Profile): boolean {
  return (email === '' || /^[^@\s]+@[^@\s]+$/.test(email)) && !groups.some(groupProblem);
}

/** What is said about a user. */
export function ProfileFields(props: { profile: Profile; onChange: (profile: Profile) => void }) {
  const { profile, onChange } = props;
  const { t } = useTranslation();
  const { items } = useCollection<User>(USERS);
  const groups = useMemo(
    () => [...new Set(items.flatMap((each) => each.spec?.groups ?? []))].sort(),
    [items],
  );
  const set = (change: Partial<Profile>) => onChange({ ...profile, ...change });
  const wrong = profile.groups.find(groupProblem);
  return (
    <>
      <TextField
        label={t('users.displayName')}
        value={profile.displayName}
        onChange={(displayName) => set({ displayName })}
        maxLength={128}
        autoComplete="off"
        optional
      />
      <TextField
        label={t('users.email')}
        value={profile.email}
        onChange={(email) => set({ email })}
        maxLength={254}
        autoComplete="off"
        optional
        problem={isProfileRight({ ...profile, groups: [] }) ? undefined : t('users.emailProblem')}
      />
      <TextField
        label={t('common.description')}
        value={profile.description}
        onChange={(description) => set({ description })}
        maxLength={1024}
        multiline
        optional
      />
      <TagsField
        label={t('users.groups')}
        values={profile.groups}
        onChange={(next) => set({ groups: next })}
        suggestions={groups}
        placeholder={t('users.addGroup')}
        hint={
          wrong === undefined ? t('users.groupsHint') : t('users.groupProblem', { name: wrong })
        }
      />
    </>
  );
}
