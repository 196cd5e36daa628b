import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Ban, CircleCheck, Pencil, Plus, RotateCcwKey, SearchX, Trash2, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { collectionOf, useCollection } from '../../api/collections';
import { GLOBAL_ROLES, ROLE_TEMPLATE_BINDINGS, USERS } from '../../api/resources';
import { useIdentity } from '../../app/useIdentity';
import { useGlobalRoleNames, type GlobalRole } from '../../domain/globalRoles';
import { whyNotInForce, type RoleTemplateBinding } from '../../domain/members';
import { useRoleNames } from '../../domain/roles';
import {
  giveGlobalRole,
  Grants,
  isActive,
  profileOf,
  setProfile,
  takeGlobalRole,
  usernameOf,
  type Grant,
  type User,
} from '../../domain/users';
import { Age } from '../../ui/Age';
import { Tag } from '../../ui/Badge';
import { Banner } from '../../ui/Banner';
import { IconButton, MayButton } from '../../ui/Button';
import { FormDialog } from '../../ui/Dialog';
import { Card, Empty, Loading, Page } from '../../ui/Page';
import { Select } from '../../ui/Select';
import { toast } from '../../ui/toasts';
import { Conditions } from '../resources/Overview';
import { useObject } from '../resources/useObject';
import { isProfileRight, ProfileFields } from './ProfileFields';
import { UserDeeds, type Deed } from './UserDeeds';
import { useMayReset } from './useMayReset';
import { ActiveState } from './UsersPage';
import '../resources/resources.css';

const route = getRouteApi('/shell/users/$name');

export function UserPage() {
  const { t } = useTranslation();
  const { name } = route.useParams();
  const { object, loading, gone } = useObject(USERS, name);
  const user = object as User | undefined;
  return (
    <Page
      title={user ? usernameOf(user) : name}
      crumbs={<Link to="/users">{t('users.title')}</Link>}
      mark={user && <ActiveState user={user} />}
      actions={user && <UserActions user={user} />}
    >
      {user ? (
        <Known user={user} />
      ) : loading ? (
        <Loading label={t('common.loading')} />
      ) : (
        <Empty
          icon={<SearchX aria-hidden />}
          title={gone ? t('kinds.gone', { name }) : t('kinds.missing', { name })}
          hint={gone ? t('kinds.goneHint') : t('common.errors.notFound')}
        />
      )}
    </Page>
  );
}

function UserActions({ user }: { user: User }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [deed, setDeed] = useState<Deed>();
  const [editing, setEditing] = useState(false);
  const { name } = user.metadata;
  const mayUpdate = useMay({ verb: 'update', resource: USERS, name });
  const mayReset = useMayReset(user);
  const mayDelete = useMay({ verb: 'delete', resource: USERS, name });
  return (
    <>
      <MayButton answer={mayUpdate} icon={<Pencil aria-hidden />} onPress={() => setEditing(true)}>
        {t('common.edit')}
      </MayButton>
      <MayButton
        answer={mayReset}
        icon={<RotateCcwKey aria-hidden />}
        onPress={() => setDeed('password')}
      >
        {t('users.resetPassword')}
      </MayButton>
      {isActive(user) ? (
        <MayButton
          answer={mayUpdate}
          icon={<Ban aria-hidden />}
          onPress={() => setDeed('deactivate')}
        >
          {t('users.deactivate')}
        </MayButton>
      ) : (
        <MayButton
          answer={mayUpdate}
          icon={<CircleCheck aria-hidden />}
          onPress={() => setDeed('activate')}
        >
          {t('users.activate')}
        </MayButton>
      )}
      <MayButton answer={mayDelete} icon={<Trash2 aria-hidden />} onPress={() => setDeed('delete')}>
        {t('common.delete')}
      </MayButton>
      <UserDeeds
        user={user}
        deed={deed}
        onClose={() => setDeed(undefined)}
        onDeleted={() => void navigate({ to: '/users' })}
      />
      {editing && <EditProfile user={user} onClose={() => setEditing(false)} />}
    </>
  );
}

function EditProfile({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const [base] = useState(user);
  const [profile, setValues] = useState(() => profileOf(user));
  const name = usernameOf(user);
  const submit = async () => {
    collectionOf<User>(USERS).put(await setProfile(base, profile));
    toast({ tone: 'ok', title: t('common.saved', { name }) });
  };
  return (
    <FormDialog
      title={<bdi>{t('users.editTitle', { name })}</bdi>}
      open
      onClose={onClose}
      submit={t('common.save')}
      ready={isProfileRight(profile)}
      onSubmit={submit}
    >
      <ProfileFields profile={profile} onChange={setValues} />
    </FormDialog>
  );
}

function Known({ user }: { user: User }) {
  const { t } = useTranslation();
  const identity = useIdentity();
  const bindings = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  const grants = useMemo(() => new Grants(bindings.items).of(user), [bindings.items, user]);
  const { displayName, email, description, groups } = profileOf(user);
  return (
    <div className="stack">
      {identity?.username === usernameOf(user) && (
        <Banner tone="info">
          {t('users.yourself')} <Link to="/account">{t('shell.account')}</Link>
        </Banner>
      )}
      <Card title={t('users.account')}>
        <dl className="facts">
          <Fact title={t('users.displayName')} text={displayName} />
          <Fact title={t('users.email')} text={email} />
          <Fact title={t('common.description')} text={description} />
          <div>
            <dt>{t('users.groups')}</dt>
            <dd className="labels">
              {groups.length === 0 && <span className="muted">–</span>}
              {groups.map((each) => (
                <Tag key={each}>
                  <bdi>{each}</bdi>
                </Tag>
              ))}
            </dd>
          </div>
          <div>
            <dt>{t('kinds.created')}</dt>
            <dd>
              <Age of={user.metadata.creationTimestamp} />
            </dd>
          </div>
        </dl>
      </Card>
      <GlobalRoles user={user} grants={grants.filter((each) => each.namespace === undefined)} />
      <Memberships grants={grants.filter((each) => each.namespace !== undefined)} />
      <Conditions object={user} />
    </div>
  );
}

function Fact({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{text === '' ? <span className="muted">–</span> : <bdi>{text}</bdi>}</dd>
    </div>
  );
}

function Through({ grant }: { grant: Grant }) {
  const { t } = useTranslation();
  const why = whyNotInForce(grant.binding);
  return (
    <>
      <bdi>
        {grant.group === undefined
          ? t('users.directly')
          : t('users.byGroup', { name: grant.group })}
      </bdi>
      {why !== '' && <span className="muted"> · {t('users.notInForce', { reason: why })}</span>}
    </>
  );
}

function GlobalRoles({ user, grants }: { user: User; grants: readonly Grant[] }) {
  const { t } = useTranslation();
  const roleName = useGlobalRoleNames();
  const [adding, setAdding] = useState(false);
  const [taking, setTaking] = useState<string>();
  const name = usernameOf(user);
  const mayBind = useMay({ verb: 'bind', resource: GLOBAL_ROLES });
  return (
    <Card
      title={t('users.globalRoles')}
      actions={
        <MayButton
          size="small"
          answer={mayBind}
          icon={<Plus aria-hidden />}
          onPress={() => setAdding(true)}
        >
          {t('users.giveRole')}
        </MayButton>
      }
    >
      {grants.length === 0 ? (
        <p className="muted">{t('users.noGlobalRoles')}</p>
      ) : (
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t('common.role')}</th>
              <th scope="col">{t('users.through')}</th>
              <th scope="col">{t('common.age')}</th>
              <th scope="col">
                <span className="visually-hidden">{t('common.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {grants.map((grant) => (
              <tr key={`${grant.binding.metadata.name} ${grant.group ?? ''}`}>
                <td>
                  <Link to="/roles/$scope/$name" params={{ scope: 'global', name: grant.role }}>
                    <bdi>{roleName(grant.role)}</bdi>
                  </Link>
                </td>
                <td>
                  <Through grant={grant} />
                </td>
                <td>
                  <Age of={grant.binding.metadata.creationTimestamp} />
                </td>
                <td className="table-end">
                  {grant.group === undefined && mayBind.allowed === true && (
                    <IconButton
                      size="small"
                      label={t('users.takeRole', { role: roleName(grant.role) })}
                      icon={<X aria-hidden />}
                      onPress={() => setTaking(grant.role)}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {adding && (
        <GiveRole
          user={user}
          has={grants.filter((each) => each.group === undefined).map((each) => each.role)}
          onClose={() => setAdding(false)}
        />
      )}
      <FormDialog
        title={<bdi>{t('users.takeTitle', { role: roleName(taking ?? ''), name })}</bdi>}
        open={taking !== undefined}
        onClose={() => setTaking(undefined)}
        submit={t('common.remove')}
        danger
        onSubmit={() => takeGlobalRole(user.metadata.name, taking ?? '', grants)}
      >
        <p>{t('users.takeLead')}</p>
      </FormDialog>
    </Card>
  );
}

function GiveRole(props: { user: User; has: readonly string[]; onClose: () => void }) {
  const { user, has, onClose } = props;
  const { t } = useTranslation();
  const roleName = useGlobalRoleNames();
  const { items } = useCollection<GlobalRole>(GLOBAL_ROLES);
  const offered = items.map((each) => each.metadata.name).filter((each) => !has.includes(each));
  const [role, setRole] = useState(offered[0] ?? '');
  const name = usernameOf(user);
  return (
    <FormDialog
      title={<bdi>{t('users.giveTitle', { name })}</bdi>}
      open
      onClose={onClose}
      submit={t('users.giveRole')}
      ready={role !== ''}
      onSubmit={() => giveGlobalRole(user.metadata.name, role)}
    >
      {offered.length === 0 ? (
        <p>{t('users.hasAll')}</p>
      ) : (
        <Select
          label={t('common.role')}
          selected={role}
          onSelect={setRole}
          options={offered.map((id) => ({ id, label: roleName(id) }))}
        />
      )}
      <p className="hint">{t('users.giveLead')}</p>
    </FormDialog>
  );
}

function Memberships({ grants }: { grants: readonly Grant[] }) {
  const { t } = useTranslation();
  const roleName = useRoleNames();
  const sorted = [...grants].sort((one, other) =>
    (one.namespace ?? '').localeCompare(other.namespace ?? ''),
  );
  return (
    <Card title={t('users.memberships')}>
      {sorted.length === 0 ? (
        <p className="muted">{t('users.noMemberships')}</p>
      ) : (
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t('shell.namespace')}</th>
              <th scope="col">{t('common.role')}</th>
              <th scope="col">{t('users.through')}</th>
              <th scope="col">{t('common.age')}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((grant) => (
              <tr key={`${grant.binding.metadata.name} ${grant.group ?? ''}`}>
                <td>
                  <Link to="/namespaces/$name" params={{ name: grant.namespace ?? '' }}>
                    <bdi>{grant.namespace}</bdi>
                  </Link>
                </td>
                <td>
                  <bdi>{roleName(grant.role)}</bdi>
                </td>
                <td>
                  <Through grant={grant} />
                </td>
                <td>
                  <Age of={grant.binding.metadata.creationTimestamp} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
