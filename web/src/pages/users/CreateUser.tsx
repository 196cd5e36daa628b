import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../../api/collections';
import { GLOBAL_ROLES } from '../../api/resources';
import { useGlobalRoleNames, type GlobalRole } from '../../domain/globalRoles';
import { createUser, usernameProblem, type NewUser, type Profile } from '../../domain/users';
import { useDescription } from '../../i18n/platform';
import { FormDialog } from '../../ui/Dialog';
import { Checkbox, TextField } from '../../ui/Fields';
import { toast } from '../../ui/toasts';
import { OneTimePassword } from './OneTimePassword';
import { isProfileRight, ProfileFields } from './ProfileFields';

interface Props {
  open: boolean;
  onClose: () => void;
  taken: ReadonlyMap<string, unknown>;
}

const nobody: NewUser = {
  name: '',
  displayName: '',
  email: '',
  description: '',
  groups: [],
  globalRoles: [],
};

/** Creates a user with his roles, whole or not at all, and shows his first password. */
export function CreateUser({ open, onClose, taken }: Props) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState(nobody);
  const [once, setOnce] = useState<{ user: string; password: string }>();
  const problem = usernameProblem(wanted.name, taken);
  const close = () => {
    setWanted(nobody);
    onClose();
  };
  const submit = async () => {
    const password = await createUser(wanted);
    toast({ tone: 'ok', title: t('kinds.made', { name: wanted.name }) });
    setOnce({ user: wanted.name, password });
  };
  return (
    <>
      <FormDialog
        title={t('users.create')}
        open={open}
        onClose={close}
        submit={t('common.create')}
        ready={wanted.name !== '' && problem === undefined && isProfileRight(wanted)}
        onSubmit={submit}
      >
        <TextField
          label={t('users.username')}
          value={wanted.name}
          onChange={(name) => setWanted({ ...wanted, name })}
          isRequired
          autoComplete="off"
          hint={t('users.usernameHint')}
          problem={problem && t(`users.nameProblems.${problem}`)}
          // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog is about filling this in
          autoFocus
        />
        <ProfileFields
          profile={wanted}
          onChange={(profile: Profile) => setWanted({ ...wanted, ...profile })}
        />
        <RoleBoxes
          chosen={wanted.globalRoles}
          onChange={(globalRoles) => setWanted({ ...wanted, globalRoles })}
        />
        <p className="hint">{t('users.passwordHint')}</p>
      </FormDialog>
      <OneTimePassword
        user={once?.user ?? ''}
        password={once?.password}
        onClose={() => setOnce(undefined)}
      />
    </>
  );
}

/** The global roles that one can be given; who gets one by being new need not choose it. */
function RoleBoxes(props: { chosen: readonly string[]; onChange: (chosen: string[]) => void }) {
  const { chosen, onChange } = props;
  const { t } = useTranslation();
  const { items } = useCollection<GlobalRole>(GLOBAL_ROLES);
  const roleName = useGlobalRoleNames();
  const descriptionOf = useDescription();
  const offered = items.filter(
    (each) => each.metadata.name !== 'user' && !each.spec?.newUserDefault,
  );
  return (
    <fieldset className="fieldset stack-s">
      <legend className="label">{t('users.globalRoles')}</legend>
      {offered.map((each) => {
        const { name } = each.metadata;
        return (
          <div key={name} className="field">
            <Checkbox
              checked={chosen.includes(name)}
              onChange={(checked) =>
                onChange(checked ? [...chosen, name] : chosen.filter((one) => one !== name))
              }
            >
              <bdi>{roleName(name)}</bdi>
            </Checkbox>
            <span className="hint">
              <bdi>{descriptionOf(each)}</bdi>
            </span>
          </div>
        );
      })}
    </fieldset>
  );
}
