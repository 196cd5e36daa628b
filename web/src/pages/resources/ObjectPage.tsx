import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Pencil, SearchX, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import type { KubeObject } from '../../api/objects';
import { NotFound } from '../../app/RouteProblem';
import type { Kind } from '../../kinds/kind';
import { useKind } from '../../kinds/kinds';
import { Tag } from '../../ui/Badge';
import { Problem } from '../../ui/Banner';
import { MayButton } from '../../ui/Button';
import { Empty, Loading, Page } from '../../ui/Page';
import { Tabs } from '../../ui/Tabs';
import { NotForProduction } from '../../ui/NotForProduction';
import { DeleteObjects } from './DeleteObjects';
import { EditForm } from './EditForm';
import { EventsTable } from './EventsTable';
import { Overview } from './Overview';
import { placeOfList, placeOfObject, type ObjectTab } from './places';
import { StateBadge } from './StateBadge';
import { useObject } from './useObject';
import { useTitle } from './useTitle';
import { YamlTab } from './YamlTab';
import './resources.css';

const clusterRoute = getRouteApi('/shell/resources/$kind/$name');
const namespacedRoute = getRouteApi('/shell/resources/$kind/$namespace/$name');

export function ClusterObjectPage() {
  const { kind, name } = clusterRoute.useParams();
  const { tab } = clusterRoute.useSearch();
  return <ObjectPage key={`${kind}/${name}`} {...{ kind, name, tab }} />;
}

export function NamespacedObjectPage() {
  const { kind, namespace, name } = namespacedRoute.useParams();
  const { tab } = namespacedRoute.useSearch();
  return <ObjectPage key={`${kind}/${namespace}/${name}`} {...{ kind, namespace, name, tab }} />;
}

interface ObjectPageProps {
  kind: string;
  namespace?: string;
  name: string;
  tab: ObjectTab | undefined;
}

function ObjectPage({ kind: kindName, namespace, name, tab }: ObjectPageProps) {
  const { t } = useTranslation();
  const { kind, loading, error } = useKind(kindName);
  if (loading) return <Loading label={t('common.loading')} />;
  if (error !== undefined) {
    return (
      <Page title={kindName}>
        <Problem error={error} />
      </Page>
    );
  }
  if (kind?.resource.namespaced !== (namespace !== undefined)) return <NotFound />;
  return (
    <KnownObject
      kind={kind}
      name={name}
      tab={tab ?? 'overview'}
      {...(namespace !== undefined && { namespace })}
    />
  );
}

function KnownObject(props: { kind: Kind; namespace?: string; name: string; tab: ObjectTab }) {
  const { kind, namespace, name, tab } = props;
  const { t } = useTranslation();
  const title = useTitle();
  const { object, loading, error, gone } = useObject(kind.resource, name, namespace);
  return (
    <Page
      title={name}
      fill={tab === 'yaml'}
      crumbs={<Link {...placeOfList(kind.resource)}>{title(kind)}</Link>}
      mark={
        <>
          {object && kind.hasState && <StateBadge state={kind.state(object)} />}
          {namespace !== undefined && (
            <Tag>
              <bdi>{namespace}</bdi>
            </Tag>
          )}
        </>
      }
      actions={object && <ObjectActions kind={kind} object={object} tab={tab} />}
    >
      <NotForProduction namespace={namespace} />
      {object ? (
        <Content kind={kind} object={object} tab={tab} />
      ) : loading ? (
        <Loading label={t('common.loading')} />
      ) : error !== undefined ? (
        <Problem error={error} />
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

function ObjectActions(props: { kind: Kind; object: KubeObject; tab: ObjectTab }) {
  const { kind, object, tab } = props;
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const { resource } = kind;
  const { name, namespace } = object.metadata;
  const place = { resource, name, ...(namespace !== undefined && { namespace }) };
  const mayUpdate = useMay({ verb: 'update', ...place });
  const mayDelete = useMay({ verb: 'delete', ...place });
  return (
    <>
      {kind.form && tab !== 'edit' && (
        <MayButton
          answer={mayUpdate}
          icon={<Pencil aria-hidden />}
          onPress={() => void navigate(placeOfObject(resource, object, 'edit'))}
        >
          {t('common.edit')}
        </MayButton>
      )}
      <MayButton answer={mayDelete} icon={<Trash2 aria-hidden />} onPress={() => setDeleting(true)}>
        {t('common.delete')}
      </MayButton>
      <DeleteObjects
        resource={resource}
        objects={[object]}
        open={deleting}
        onClose={() => setDeleting(false)}
        onDone={() => void navigate(placeOfList(resource))}
      />
    </>
  );
}

function Content({ kind, object, tab }: { kind: Kind; object: KubeObject; tab: ObjectTab }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { resource } = kind;
  const go = (next: ObjectTab) => void navigate(placeOfObject(resource, object, next));
  if (tab === 'edit' && kind.form) {
    return <EditForm kind={kind} object={object} onDone={() => go('overview')} />;
  }
  const items: { id: ObjectTab; label: string }[] = [
    { id: 'overview', label: t('kinds.tabs.overview') },
    { id: 'yaml', label: t('kinds.tabs.yaml') },
    ...(resource.namespaced ? [{ id: 'events' as const, label: t('kinds.tabs.events') }] : []),
  ];
  const selected = items.some((each) => each.id === tab) ? tab : 'overview';
  return (
    <Tabs label={object.metadata.name} items={items} selected={selected} onSelect={go}>
      {selected === 'yaml' ? (
        <YamlTab kind={kind} object={object} />
      ) : selected === 'events' ? (
        <EventsTable namespace={object.metadata.namespace ?? ''} about={object} />
      ) : (
        <Overview kind={kind} object={object} />
      )}
    </Tabs>
  );
}
