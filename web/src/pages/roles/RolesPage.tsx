import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Copy, Ellipsis, FileCode, Pencil, Plus, ShieldCheck, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { resourceName } from '../../api/discovery';
import { useCollection } from '../../api/collections';
import { uidOf } from '../../api/objects';
import { ROLE_TEMPLATE_BINDINGS } from '../../api/resources';
import type { RoleTemplateBinding } from '../../domain/members';
import { useDescription } from '../../i18n/platform';
import { Age } from '../../ui/Age';
import { Tag, UserText } from '../../ui/Badge';
import { IconButton, MayButton } from '../../ui/Button';
import { FilteredTable } from '../../ui/FilteredTable';
import { Listed } from '../../ui/Listed';
import { Actions, AskingMenu, type MenuAction } from '../../ui/Menu';
import { ButtonLink } from '../../ui/Links';
import { Empty, Page } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import { Tabs } from '../../ui/Tabs';
import type { Sort } from '../../ui/useRows';
import { useWhyNot } from '../../ui/useWhyNot';
import { DeleteObjects } from '../resources/DeleteObjects';
import { ROLE_KINDS, type Role, type RoleKind, type Scope } from './roleKinds';
import { useRoleName } from './useRoleName';
import '../resources/resources.css';

const route = getRouteApi('/shell/roles');

export function RolesPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { scope = 'namespace' } = route.useSearch();
  const kind = ROLE_KINDS[scope];
  const namespaced = useCollection<Role>(ROLE_KINDS.namespace.resource);
  const global = useCollection<Role>(ROLE_KINDS.global.resource);
  const mayCreate = useMay({ verb: 'create', resource: kind.resource });
  const { items, freshness, error } = scope === 'global' ? global : namespaced;
  const tabs = [
    { id: 'namespace' as const, label: t('roles.tabNamespace'), count: namespaced.items.length },
    { id: 'global' as const, label: t('roles.tabGlobal'), count: global.items.length },
  ];
  const label = scope === 'global' ? t('roles.createGlobal') : t('roles.createNamespace');
  return (
    <Page
      title={t('roles.title')}
      lead={t('roles.lead')}
      fill
      actions={
        mayCreate.allowed === false ? (
          <MayButton look="primary" answer={mayCreate} icon={<Plus aria-hidden />}>
            {label}
          </MayButton>
        ) : (
          <ButtonLink
            look="primary"
            icon={<Plus aria-hidden />}
            to="/roles/new/$scope"
            params={{ scope }}
          >
            {label}
          </ButtonLink>
        )
      }
    >
      <Tabs
        label={t('roles.title')}
        items={tabs}
        selected={scope}
        onSelect={(next: Scope) =>
          void navigate({ to: '/roles', search: next === 'global' ? { scope: next } : {} })
        }
      >
        <p className="muted">{t(`roles.about.${scope}`)}</p>
        <Listed {...{ freshness, error }}>
          <RoleTable key={scope} kind={kind} roles={items} />
        </Listed>
      </Tabs>
    </Page>
  );
}

const byName: Sort = { column: 'name', descending: false };
const nameOf = (role: Role) => role.metadata.name;

function useUses(kind: RoleKind): ReadonlyMap<string, number> {
  const { items } = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  return useMemo(() => {
    const found = new Map<string, number>();
    for (const { roleTemplateRef } of items) {
      if (roleTemplateRef.kind !== kind.refKind) continue;
      found.set(roleTemplateRef.name, (found.get(roleTemplateRef.name) ?? 0) + 1);
    }
    return found;
  }, [items, kind.refKind]);
}

function RoleTable({ kind, roles }: { kind: RoleKind; roles: readonly Role[] }) {
  const { t } = useTranslation();
  const columns = useColumns(kind);
  const [toDelete, setToDelete] = useState<Role>();
  return (
    <>
      <FilteredTable
        by={byName}
        label={t('roles.title')}
        rows={roles}
        columns={columns}
        rowId={uidOf}
        rowName={nameOf}
        menu={(role) => <RoleMenu kind={kind} role={role} onDelete={() => setToDelete(role)} />}
        empty={
          <Empty
            icon={<ShieldCheck aria-hidden />}
            title={t('roles.none')}
            hint={t('roles.noneHint')}
          />
        }
      />
      <DeleteObjects
        resource={kind.resource}
        objects={toDelete ? [toDelete] : []}
        open={toDelete !== undefined}
        onClose={() => setToDelete(undefined)}
        lead={t('roles.deleteLead')}
      />
    </>
  );
}

function useColumns(kind: RoleKind): Column<Role>[] {
  const { t } = useTranslation();
  const roleName = useRoleName(kind.scope);
  const descriptionOf = useDescription();
  const uses = useUses(kind);
  return useMemo(() => {
    const { scope, defaultField } = kind;
    const used = (role: Role) => uses.get(role.metadata.name) ?? 0;
    return [
      {
        id: 'name',
        header: t('common.name'),
        width: '24%',
        sortBy: (role) => roleName(role.metadata.name),
        text: (role) => `${roleName(role.metadata.name)} ${role.metadata.name}`,
        cell: (role) => (
          <Link
            to="/roles/$scope/$name"
            params={{ scope, name: role.metadata.name }}
            className="name-link"
          >
            <bdi>{roleName(role.metadata.name)}</bdi>
          </Link>
        ),
        below: (role) => <Marks role={role} kind={kind} />,
      },
      {
        id: 'description',
        header: t('common.description'),
        from: 'medium',
        sortBy: descriptionOf,
        text: descriptionOf,
        cell: (role) => <UserText>{descriptionOf(role)}</UserText>,
      },
      {
        id: 'marks',
        header: t('roles.marks'),
        from: 'medium',
        width: '200px',
        sortBy: (role) =>
          Number(role.spec?.builtin ?? false) * 4 +
          Number(role.spec?.[defaultField] ?? false) * 2 +
          Number(role.spec?.locked ?? false),
        cell: (role) => <Marks role={role} kind={kind} />,
      },
      {
        id: 'rules',
        header: t('roles.rules'),
        from: 'wide',
        width: '80px',
        align: 'end',
        sortBy: (role) => role.rules?.length ?? 0,
        cell: (role) => <span className="numeric">{role.rules?.length ?? 0}</span>,
      },
      {
        id: 'uses',
        header: t('roles.uses'),
        from: 'wide',
        width: '110px',
        align: 'end',
        sortBy: used,
        cell: (role) => <span className="numeric">{used(role)}</span>,
      },
      {
        id: 'age',
        header: t('common.age'),
        width: '66px',
        sortBy: (role) => -Date.parse(role.metadata.creationTimestamp ?? ''),
        cell: (role) => <Age of={role.metadata.creationTimestamp} />,
      },
    ];
  }, [t, kind, roleName, uses, descriptionOf]);
}

/** What is special about a role. */
export function Marks({ role, kind }: { role: Role; kind: RoleKind }) {
  const { t } = useTranslation();
  const { builtin, locked } = role.spec ?? {};
  return (
    <span className="row cell-tags">
      <Tag>{builtin ? t('roles.builtin') : t('roles.custom')}</Tag>
      {role.spec?.[kind.defaultField] && <Tag tone="accent">{t('roles.default')}</Tag>}
      {locked && <Tag tone="warn">{t('roles.locked')}</Tag>}
    </span>
  );
}

function RoleMenu(props: { kind: RoleKind; role: Role; onDelete: () => void }) {
  const { t } = useTranslation();
  const label = t('common.actionsOf', { name: props.role.metadata.name });
  return (
    <AskingMenu trigger={<IconButton size="small" label={label} icon={<Ellipsis aria-hidden />} />}>
      <RoleActions {...props} label={label} />
    </AskingMenu>
  );
}

function RoleActions(props: { kind: RoleKind; role: Role; onDelete: () => void; label: string }) {
  const { kind, role, onDelete, label } = props;
  const { t } = useTranslation();
  const navigate = useNavigate();
  const whyNot = useWhyNot();
  const { resource, scope } = kind;
  const { name } = role.metadata;
  const whyNotUpdate = whyNot(useMay({ verb: 'update', resource, name }));
  const whyNotDelete = whyNot(useMay({ verb: 'delete', resource, name }));
  const whyNotCreate = whyNot(useMay({ verb: 'create', resource }));
  const actions: MenuAction[] = [
    {
      id: 'edit',
      label: t('common.edit'),
      icon: <Pencil aria-hidden />,
      why: whyNotUpdate,
      onAction: () => void navigate({ to: '/roles/$scope/$name/edit', params: { scope, name } }),
    },
    {
      id: 'copy',
      label: t('roles.copy'),
      icon: <Copy aria-hidden />,
      why: whyNotCreate,
      onAction: () =>
        void navigate({ to: '/roles/new/$scope', params: { scope }, search: { from: name } }),
    },
    {
      id: 'yaml',
      label: t('kinds.viewYaml'),
      icon: <FileCode aria-hidden />,
      onAction: () =>
        void navigate({
          to: '/resources/$kind/$name',
          params: { kind: resourceName(resource), name },
          search: { tab: 'yaml' },
        }),
    },
    {
      id: 'delete',
      label: t('common.delete'),
      icon: <Trash2 aria-hidden />,
      danger: true,
      why: role.spec?.builtin ? t('roles.builtinStays') : whyNotDelete,
      onAction: onDelete,
    },
  ];
  return <Actions label={label} actions={() => actions} />;
}
