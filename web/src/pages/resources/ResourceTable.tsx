import { Link } from '@tanstack/react-router';
import { Download, Trash2 } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { uidOf, type KubeObject } from '../../api/objects';
import type { Kind, KindColumn } from '../../kinds/kind';
import { Age } from '../../ui/Age';
import { UserText } from '../../ui/Badge';
import { Button, MayButton } from '../../ui/Button';
import { downloadYaml } from '../../ui/download';
import { FilteredTable } from '../../ui/FilteredTable';
import { Listed } from '../../ui/Listed';
import type { Column } from '../../ui/Table';
import type { Sort } from '../../ui/useRows';
import { DeleteObjects } from './DeleteObjects';
import { placeOfObject } from './places';
import { RowMenu } from './RowMenu';
import { StateBadge } from './StateBadge';
import { Refused } from './Refused';
import { useList } from './useList';
import { useStateWord } from './useStateWord';
import { useValue } from './useValue';
import { useTitle } from './useTitle';
import './resources.css';

export interface ResourceTableProps {
  kind: Kind;
  /** Of which namespaces; empty: of all that one may see, or of the cluster. */
  namespaces: readonly string[];
  empty: ReactNode;
  /** Beside the filter. */
  tools?: ReactNode;
}

const byName: Sort = { column: 'name', descending: false };
const nameOf = (object: KubeObject) => object.metadata.name;

/** The objects of a kind: live, filtered, sorted, chosen. */
export function ResourceTable({ kind, namespaces, empty, tools }: ResourceTableProps) {
  const title = useTitle();
  const { resource } = kind;
  const single = namespaces.length === 1 ? namespaces[0] : undefined;
  const { items, freshness, error, why } = useList(
    resource,
    resource.namespaced ? single : undefined,
  );
  const rows = useMemo(
    () =>
      resource.namespaced && namespaces.length > 1
        ? items.filter((each) => namespaces.includes(each.metadata.namespace ?? ''))
        : items,
    [items, namespaces, resource.namespaced],
  );
  if (why !== undefined) return <Refused what={title(kind)} why={why} />;
  return (
    <Listed {...{ freshness, error }}>
      <Rows {...{ kind, rows, single, empty, tools }} />
    </Listed>
  );
}

interface RowsProps {
  kind: Kind;
  rows: readonly KubeObject[];
  single: string | undefined;
  empty: ReactNode;
  tools: ReactNode;
}

function Rows({ kind, rows, single, empty, tools }: RowsProps) {
  const title = useTitle();
  const { resource } = kind;
  const columns = useColumns(kind, resource.namespaced && single === undefined);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [toDelete, setToDelete] = useState<readonly KubeObject[]>();
  const chosen = useMemo(() => rows.filter((row) => selected.has(uidOf(row))), [rows, selected]);
  return (
    <>
      <FilteredTable
        by={byName}
        deeds={
          chosen.length > 0 && <Chosen {...{ kind, chosen }} onDelete={() => setToDelete(chosen)} />
        }
        tools={tools}
        label={title(kind)}
        rows={rows}
        columns={columns}
        rowId={uidOf}
        rowName={nameOf}
        selected={selected}
        onSelect={setSelected}
        menu={(row) => (
          <RowMenu kind={kind} object={row} onDelete={(object) => setToDelete([object])} />
        )}
        empty={empty}
      />
      <DeleteObjects
        resource={resource}
        objects={toDelete ?? []}
        open={toDelete !== undefined}
        onClose={() => setToDelete(undefined)}
        onDone={() => setSelected(new Set())}
      />
    </>
  );
}

/** What can be done with several at once. */
function Chosen(props: { kind: Kind; chosen: readonly KubeObject[]; onDelete: () => void }) {
  const { kind, chosen, onDelete } = props;
  const { t } = useTranslation();
  const { resource } = kind;
  const places = new Set(chosen.map((each) => each.metadata.namespace));
  const [only] = places;
  const place = places.size === 1 && only !== undefined ? { namespace: only } : {};
  const mayDelete = useMay({ verb: 'delete', resource, ...place });
  // Of several namespaces the server is not asked as one: it answers for each when it is done.
  const answer = places.size > 1 ? { allowed: true, reason: '' } : mayDelete;
  return (
    <>
      <span className="muted">{t('common.selected', { count: chosen.length })}</span>
      <Button icon={<Download aria-hidden />} onPress={() => void downloadYaml(resource, chosen)}>
        {t('common.downloadYaml')}
      </Button>
      <MayButton answer={answer} icon={<Trash2 aria-hidden />} onPress={onDelete}>
        {t('common.delete')}
      </MayButton>
    </>
  );
}

function useColumns(kind: Kind, withNamespace: boolean): Column<KubeObject>[] {
  const { t } = useTranslation();
  const say = useStateWord();
  const shown = useValue();
  return useMemo(() => {
    const below = kind.columns.filter((each) => each.below);
    const state: Column<KubeObject> = {
      id: 'state',
      header: t('common.state'),
      width: '112px',
      from: 'medium',
      sortBy: (row) => kind.state(row)?.word ?? '',
      text: (row) => say(kind.state(row)?.word ?? ''),
      cell: (row) => <StateBadge state={kind.state(row)} />,
    };
    const name: Column<KubeObject> = {
      id: 'name',
      header: t('common.name'),
      sortBy: nameOf,
      text: nameOf,
      cell: (row) => (
        <Link {...placeOfObject(kind.resource, row)} className="name-link">
          <bdi>{nameOf(row)}</bdi>
        </Link>
      ),
      below: (row) => (
        <span className="name-more">
          {kind.hasState && <StateBadge state={kind.state(row)} />}
          {withNamespace && <UserText>{row.metadata.namespace ?? ''}</UserText>}
          {below.length > 0 && (
            <UserText>
              {below
                .map((each) => shown(each, row))
                .filter(Boolean)
                .join(' · ')}
            </UserText>
          )}
        </span>
      ),
    };
    const namespace: Column<KubeObject> = {
      id: 'namespace',
      header: t('kinds.columns.namespace'),
      from: 'medium',
      width: '192px',
      sortBy: (row) => row.metadata.namespace ?? '',
      text: (row) => row.metadata.namespace ?? '',
      cell: (row) => <UserText>{row.metadata.namespace ?? ''}</UserText>,
    };
    const age: Column<KubeObject> = {
      id: 'age',
      header: t('common.age'),
      width: '66px',
      sortBy: (row) => -Date.parse(row.metadata.creationTimestamp ?? ''),
      cell: (row) => <Age of={row.metadata.creationTimestamp} />,
    };
    return [
      ...(kind.hasState ? [state] : []),
      name,
      ...(withNamespace ? [namespace] : []),
      ...kind.columns.map((each) => tableColumn(each, t(each.header), shown)),
      age,
    ];
  }, [t, say, shown, kind, withNamespace]);
}

function tableColumn(
  column: KindColumn,
  header: string,
  shown: ReturnType<typeof useValue>,
): Column<KubeObject> {
  const { id, value, width, mono } = column;
  return {
    id,
    header,
    from: column.from ?? 'medium',
    ...(width !== undefined && { width }),
    sortBy: value,
    text: (row) => shown(column, row),
    cell: (row) => {
      const text = shown(column, row);
      if (text === '') return <span className="muted">–</span>;
      return mono ? (
        <span className="mono">
          <UserText>{text}</UserText>
        </span>
      ) : (
        <UserText>{text}</UserText>
      );
    },
  };
}
