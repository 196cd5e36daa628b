import { Link, useNavigate } from '@tanstack/react-router';
import { Boxes, Download, Ellipsis, Pencil, Plus, Trash2, Users } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { NAMESPACES } from '../../api/resources';
import { isAdmin } from '../../api/session';
import { useIdentity } from '../../app/useIdentity';
import { useRoleNames } from '../../domain/roles';
import type { Place } from '../../domain/namespaces';
import { UserText } from '../../ui/Badge';
import { Age } from '../../ui/Age';
import { Banner } from '../../ui/Banner';
import { IconButton, MayButton, Button } from '../../ui/Button';
import { downloadYaml } from '../../ui/download';
import { FilteredTable } from '../../ui/FilteredTable';
import { Listed } from '../../ui/Listed';
import { ActionMenu, type MenuAction } from '../../ui/Menu';
import { Empty, Page } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import { Tabs } from '../../ui/Tabs';
import type { Sort } from '../../ui/useRows';
import { ContentsCell, MembersCell, QuotaCell, StateCell } from './cells';
import { DeleteNamespaces } from './DeleteNamespaces';
import { useNamespaceRows, type NamespaceRow } from './rows';
import './namespaces.css';

function useColumns(): Column<NamespaceRow>[] {
  const { t } = useTranslation();
  const roleName = useRoleNames();
  return useMemo(
    () => [
      {
        id: 'state',
        header: t('common.state'),
        width: '126px',
        from: 'medium',
        sortBy: (row) => row.state,
        text: (row) => row.state,
        cell: (row) => <StateCell row={row} />,
      },
      {
        id: 'name',
        header: t('common.name'),
        width: '190px',
        below: (row) => (
          <span className="name-more">
            <StateCell row={row} />
            <UserText>{row.description}</UserText>
          </span>
        ),
        sortBy: (row) => row.name,
        text: (row) => row.name,
        cell: (row) => (
          <Link className="name-link" to="/namespaces/$name" params={{ name: row.name }}>
            <bdi>{row.name}</bdi>
          </Link>
        ),
      },
      {
        id: 'description',
        header: t('common.description'),
        from: 'wide',
        sortBy: (row) => row.description,
        text: (row) => row.description,
        cell: (row) => <UserText>{row.description}</UserText>,
      },
      {
        id: 'members',
        header: t('namespaces.members'),
        width: '180px',
        from: 'medium',
        sortBy: (row) => row.members.length,
        text: (row) => row.members.map((each) => each.subject.name).join(' '),
        cell: (row) => <MembersCell members={row.members} roleName={roleName} />,
      },
      {
        id: 'contents',
        header: t('namespaces.contents'),
        width: '184px',
        from: 'wide',
        sortBy: (row) => row.notebooks + row.models,
        cell: (row) => <ContentsCell row={row} />,
      },
      {
        id: 'quota',
        header: t('namespaces.quota'),
        width: '132px',
        from: 'medium',
        sortBy: (row) => row.use?.share ?? -1,
        cell: (row) => <QuotaCell row={row} />,
      },
      {
        id: 'age',
        header: t('common.age'),
        width: '66px',
        sortBy: (row) => -Date.parse(row.namespace.metadata.creationTimestamp ?? ''),
        cell: (row) => <Age of={row.namespace.metadata.creationTimestamp} />,
      },
    ],
    [t, roleName],
  );
}

const places: readonly Place[] = ['mine', 'public', 'system'];
const byName: Sort = { column: 'name', descending: false };
const idOf = (row: NamespaceRow) => row.namespace.metadata.uid ?? row.name;
const nameOf = (row: NamespaceRow) => row.name;

export function NamespacesPage() {
  const { t } = useTranslation();
  const { rows, freshness, error } = useNamespaceRows();
  const navigate = useNavigate();
  const mayCreate = useMay({ verb: 'create', resource: NAMESPACES });
  const [place, setPlace] = useState<Place>('mine');
  const names = {
    mine: t('namespaces.tabMine'),
    public: t('namespaces.tabPublic'),
    system: t('namespaces.tabSystem'),
  };
  const byPlace = useMemo(() => Map.groupBy(rows, (row) => row.place), [rows]);
  // Whoever may see no namespace of the system has no use for the tab.
  const tabs = places
    .filter((each) => each !== 'system' || byPlace.has('system'))
    .map((id) => ({ id, label: names[id], count: byPlace.get(id)?.length ?? 0 }));
  return (
    <Page
      title={t('namespaces.title')}
      lead={t('namespaces.lead')}
      fill
      actions={
        <MayButton
          answer={mayCreate}
          look="primary"
          icon={<Plus aria-hidden />}
          onPress={() => void navigate({ to: '/namespaces/new' })}
        >
          {t('namespaces.create')}
        </MayButton>
      }
    >
      <Listed {...{ freshness, error }}>
        <Tabs label={t('namespaces.tabs')} items={tabs} selected={place} onSelect={setPlace}>
          <PlaceTable key={place} place={place} rows={byPlace.get(place) ?? []} />
        </Tabs>
      </Listed>
    </Page>
  );
}

function PlaceTable({ place, rows }: { place: Place; rows: readonly NamespaceRow[] }) {
  const { t } = useTranslation();
  const columns = useColumns();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [toDelete, setToDelete] = useState<readonly NamespaceRow[]>();
  const chosen = useMemo(() => rows.filter((row) => selected.has(idOf(row))), [rows, selected]);
  const mayDelete = useMay({ verb: 'delete', resource: NAMESPACES });
  const why =
    place === 'system'
      ? t('namespaces.deleteReserved')
      : mayDelete.allowed === false
        ? t('common.notAllowedPlain')
        : undefined;

  const navigate = useNavigate();
  const actions = (row: NamespaceRow): MenuAction[] => [
    {
      id: 'edit',
      label: t('common.edit'),
      icon: <Pencil aria-hidden />,
      why: place === 'system' ? t('namespaces.deleteReserved') : undefined,
      onAction: () => void navigate({ to: '/namespaces/$name/edit', params: { name: row.name } }),
    },
    {
      id: 'members',
      label: t('namespaces.members'),
      icon: <Users aria-hidden />,
      onAction: () =>
        void navigate({
          to: '/namespaces/$name',
          params: { name: row.name },
          search: { tab: 'members' },
        }),
    },
    {
      id: 'yaml',
      label: t('common.downloadYaml'),
      icon: <Download aria-hidden />,
      onAction: () => void downloadYaml(NAMESPACES, [row.namespace]),
    },
    {
      id: 'delete',
      label: t('common.delete'),
      icon: <Trash2 aria-hidden />,
      danger: true,
      why,
      onAction: () => setToDelete([row]),
    },
  ];

  return (
    <>
      {place === 'public' && <Banner tone="info">{t('namespaces.publicHint')}</Banner>}
      {place === 'system' && <Banner tone="info">{t('namespaces.systemHint')}</Banner>}
      <FilteredTable
        by={byName}
        deeds={
          chosen.length > 0 && (
            <>
              <span className="muted">{t('common.selected', { count: chosen.length })}</span>
              <Button
                icon={<Download aria-hidden />}
                onPress={() =>
                  void downloadYaml(
                    NAMESPACES,
                    chosen.map((row) => row.namespace),
                  )
                }
              >
                {t('common.downloadYaml')}
              </Button>
              <MayButton
                answer={why === undefined ? mayDelete : { allowed: false, reason: why }}
                icon={<Trash2 aria-hidden />}
                onPress={() => setToDelete(chosen)}
              >
                {t('common.delete')}
              </MayButton>
            </>
          )
        }
        label={t('namespaces.title')}
        rows={rows}
        columns={columns}
        rowId={idOf}
        rowName={nameOf}
        selected={selected}
        onSelect={setSelected}
        menu={(row) => (
          <ActionMenu
            label={t('common.actionsOf', { name: row.name })}
            actions={() => actions(row)}
            trigger={
              <IconButton
                size="small"
                label={t('common.actionsOf', { name: row.name })}
                icon={<Ellipsis aria-hidden />}
              />
            }
          />
        )}
        empty={<NoNamespaces place={place} />}
      />
      <DeleteNamespaces
        rows={toDelete ?? []}
        open={toDelete !== undefined}
        onClose={() => setToDelete(undefined)}
      />
    </>
  );
}

function NoNamespaces({ place }: { place: Place }) {
  const { t } = useTranslation();
  const admin = isAdmin(useIdentity());
  const [title, hint] =
    place !== 'mine'
      ? [t('namespaces.emptyOtherTitle'), t('namespaces.emptyOtherHint')]
      : admin
        ? [t('namespaces.emptyMineAdminTitle'), t('namespaces.emptyMineAdminHint')]
        : [t('namespaces.emptyMineTitle'), t('namespaces.emptyMineHint')];
  return <Empty icon={<Boxes aria-hidden />} title={title} hint={hint} />;
}
