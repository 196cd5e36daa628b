import { Link, useNavigate } from '@tanstack/react-router';
import {
  Ban,
  CircleCheck,
  Ellipsis,
  FileCode,
  Plus,
  RotateCcwKey,
  Trash2,
  UsersRound,
} from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { useCollection } from '../../api/collections';
import { uidOf } from '../../api/objects';
import { ROLE_TEMPLATE_BINDINGS, USERS } from '../../api/resources';
import { useGlobalRoleNames } from '../../domain/globalRoles';
import type { RoleTemplateBinding } from '../../domain/members';
import { Grants, isActive, usernameOf, type User } from '../../domain/users';
import { Age } from '../../ui/Age';
import { State, Tag, UserText } from '../../ui/Badge';
import { IconButton, MayButton } from '../../ui/Button';
import { FilteredTable } from '../../ui/FilteredTable';
import { Listed } from '../../ui/Listed';
import { Actions, AskingMenu, type MenuAction } from '../../ui/Menu';
import { Empty, Page } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import type { Sort } from '../../ui/useRows';
import { useWhyNot } from '../../ui/useWhyNot';
import { useMayReset } from './useMayReset';
import { CreateUser } from './CreateUser';
import { UserDeeds, type Deed } from './UserDeeds';
import '../resources/resources.css';

interface Row {
  user: User;
  roles: readonly string[];
  namespaces: readonly string[];
}

function useUserRows() {
  const users = useCollection<User>(USERS);
  const bindings = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  const grants = useMemo(() => new Grants(bindings.items), [bindings.items]);
  const rows = useMemo(
    () =>
      users.items.map((user): Row => {
        const all = grants.of(user);
        const of = (each: { namespace: string | undefined }) => each.namespace ?? '';
        return {
          user,
          roles: [...new Set(all.filter((each) => !each.namespace).map((each) => each.role))],
          namespaces: [...new Set(all.map(of).filter(Boolean))].sort(),
        };
      }),
    [users.items, grants],
  );
  return { rows, taken: users.byKey, freshness: users.freshness, error: users.error };
}

const byName: Sort = { column: 'name', descending: false };
const idOf = (row: Row) => uidOf(row.user);
const nameOf = (row: Row) => usernameOf(row.user);

export function UsersPage() {
  const { t } = useTranslation();
  const { rows, taken, freshness, error } = useUserRows();
  const [creating, setCreating] = useState(false);
  const mayCreate = useMay({ verb: 'create', resource: USERS });
  return (
    <Page
      title={t('users.title')}
      lead={t('users.lead')}
      actions={
        <MayButton
          look="primary"
          answer={mayCreate}
          icon={<Plus aria-hidden />}
          onPress={() => setCreating(true)}
        >
          {t('users.create')}
        </MayButton>
      }
      fill
    >
      <Listed {...{ freshness, error }}>
        <UserTable rows={rows} />
      </Listed>
      <CreateUser open={creating} onClose={() => setCreating(false)} taken={taken} />
    </Page>
  );
}

function UserTable({ rows }: { rows: readonly Row[] }) {
  const { t } = useTranslation();
  const columns = useColumns();
  const [deed, setDeed] = useState<{ what: Deed; user: User }>();
  return (
    <>
      <FilteredTable
        by={byName}
        label={t('users.title')}
        rows={rows}
        columns={columns}
        rowId={idOf}
        rowName={nameOf}
        menu={(row) => (
          <UserMenu user={row.user} onDeed={(what) => setDeed({ what, user: row.user })} />
        )}
        empty={
          <Empty
            icon={<UsersRound aria-hidden />}
            title={t('users.none')}
            hint={t('users.noneHint')}
          />
        }
      />
      <UserDeeds user={deed?.user} deed={deed?.what} onClose={() => setDeed(undefined)} />
    </>
  );
}

function useColumns(): Column<Row>[] {
  const { t } = useTranslation();
  const roleName = useGlobalRoleNames();
  return useMemo(
    () => [
      {
        id: 'state',
        header: t('common.state'),
        width: '118px',
        from: 'medium',
        sortBy: (row) => Number(isActive(row.user)),
        text: (row) => (isActive(row.user) ? t('users.active') : t('users.inactive')),
        cell: (row) => <ActiveState user={row.user} />,
      },
      {
        id: 'name',
        header: t('users.username'),
        sortBy: nameOf,
        text: (row) => `${nameOf(row)} ${row.user.spec?.email ?? ''}`,
        cell: (row) => (
          <Link to="/users/$name" params={{ name: row.user.metadata.name }} className="name-link">
            <bdi>{nameOf(row)}</bdi>
          </Link>
        ),
        below: (row) => (
          <span className="name-more">
            <ActiveState user={row.user} />
            <UserText>{row.user.spec?.displayName ?? ''}</UserText>
          </span>
        ),
      },
      {
        id: 'displayName',
        header: t('users.displayName'),
        from: 'medium',
        sortBy: (row) => row.user.spec?.displayName ?? '',
        text: (row) => row.user.spec?.displayName ?? '',
        cell: (row) => <UserText>{row.user.spec?.displayName ?? ''}</UserText>,
      },
      {
        id: 'groups',
        header: t('users.groups'),
        from: 'wide',
        sortBy: (row) => (row.user.spec?.groups ?? []).join(', '),
        text: (row) => (row.user.spec?.groups ?? []).join(' '),
        cell: (row) => <UserText>{(row.user.spec?.groups ?? []).join(', ')}</UserText>,
      },
      {
        id: 'roles',
        header: t('users.globalRoles'),
        from: 'medium',
        sortBy: (row) => row.roles.map(roleName).join(', '),
        text: (row) => row.roles.map(roleName).join(' '),
        cell: (row) => (
          <span className="row cell-tags">
            {row.roles.map((each) => (
              <Tag key={each} tone={each === 'admin' ? 'accent' : 'neutral'}>
                <bdi className="truncate">{roleName(each)}</bdi>
              </Tag>
            ))}
          </span>
        ),
      },
      {
        id: 'namespaces',
        header: t('users.memberOf'),
        from: 'wide',
        width: '16%',
        sortBy: (row) => row.namespaces.length,
        text: (row) => row.namespaces.join(' '),
        cell: (row) => <UserText>{row.namespaces.join(', ') || '–'}</UserText>,
      },
      {
        id: 'age',
        header: t('common.age'),
        width: '66px',
        sortBy: (row) => -Date.parse(row.user.metadata.creationTimestamp ?? ''),
        cell: (row) => <Age of={row.user.metadata.creationTimestamp} />,
      },
    ],
    [t, roleName],
  );
}

export function ActiveState({ user }: { user: User }) {
  const { t } = useTranslation();
  return isActive(user) ? (
    <State tone="ok">{t('users.active')}</State>
  ) : (
    <State tone="neutral">{t('users.inactive')}</State>
  );
}

function UserMenu({ user, onDeed }: { user: User; onDeed: (deed: Deed) => void }) {
  const { t } = useTranslation();
  const label = t('common.actionsOf', { name: usernameOf(user) });
  return (
    <AskingMenu trigger={<IconButton size="small" label={label} icon={<Ellipsis aria-hidden />} />}>
      <UserActions {...{ user, onDeed, label }} />
    </AskingMenu>
  );
}

function UserActions(props: { user: User; onDeed: (deed: Deed) => void; label: string }) {
  const { user, onDeed, label } = props;
  const { t } = useTranslation();
  const navigate = useNavigate();
  const whyNot = useWhyNot();
  const { name } = user.metadata;
  const whyNotUpdate = whyNot(useMay({ verb: 'update', resource: USERS, name }));
  const whyNotReset = whyNot(useMayReset(user));
  const whyNotDelete = whyNot(useMay({ verb: 'delete', resource: USERS, name }));
  const actions: MenuAction[] = [
    {
      id: 'password',
      label: t('users.resetPassword'),
      icon: <RotateCcwKey aria-hidden />,
      why: whyNotReset,
      onAction: () => onDeed('password'),
    },
    isActive(user)
      ? {
          id: 'deactivate',
          label: t('users.deactivate'),
          icon: <Ban aria-hidden />,
          why: whyNotUpdate,
          onAction: () => onDeed('deactivate'),
        }
      : {
          id: 'activate',
          label: t('users.activate'),
          icon: <CircleCheck aria-hidden />,
          why: whyNotUpdate,
          onAction: () => onDeed('activate'),
        },
    {
      id: 'yaml',
      label: t('kinds.viewYaml'),
      icon: <FileCode aria-hidden />,
      onAction: () =>
        void navigate({
          to: '/resources/$kind/$name',
          params: { kind: 'users.management.llmos.ai', name },
          search: { tab: 'yaml' },
        }),
    },
    {
      id: 'delete',
      label: t('common.delete'),
      icon: <Trash2 aria-hidden />,
      danger: true,
      why: whyNotDelete,
      onAction: () => onDeed('delete'),
    },
  ];
  return <Actions label={label} actions={() => actions} />;
}
