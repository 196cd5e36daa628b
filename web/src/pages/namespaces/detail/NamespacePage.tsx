import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Boxes, Ellipsis, Pencil } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../../api/access';
import { useCollection } from '../../../api/collections';
import { NAMESPACES, ROLE_TEMPLATE_BINDINGS } from '../../../api/resources';
import { byNamespace, type RoleTemplateBinding } from '../../../domain/members';
import { membersIn } from '../../../domain/memberRows';
import {
  isReserved,
  NOT_FOR_PRODUCTION,
  stateOf,
  waitsFor,
  type Namespace,
} from '../../../domain/namespaces';
import { useDescription } from '../../../i18n/platform';
import { State } from '../../../ui/Badge';
import { Banner, Problem } from '../../../ui/Banner';
import { IconButton } from '../../../ui/Button';
import { downloadYaml } from '../../../ui/download';
import { ButtonLink } from '../../../ui/Links';
import { ActionMenu, type MenuAction } from '../../../ui/Menu';
import { Empty, Loading, Page } from '../../../ui/Page';
import { Tabs } from '../../../ui/Tabs';
import { YamlDialog } from '../../../ui/YamlDialog';
import { NamespaceEvents, NamespaceResources } from '../../resources/NamespaceTabs';
import { stateTones } from '../cells';
import { DeleteNamespaces } from '../DeleteNamespaces';
import { Access } from './Access';
import { Members } from './Members';
import { Overview } from './Overview';
import { TABS, type NamespaceTab } from './tabs';
import './detail.css';

export function NamespacePage() {
  const { t } = useTranslation();
  const { name } = useParams({ from: '/shell/namespaces/$name' });
  const { byKey, freshness, error } = useCollection<Namespace>(NAMESPACES);
  const namespace = byKey.get(name);
  if (freshness === 'loading') return <Loading label={t('common.loading')} />;
  if (freshness === 'refused' && error) {
    return (
      <Page title={name}>
        <Problem error={error} />
      </Page>
    );
  }
  if (!namespace) {
    return (
      <Page title={name} crumbs={<Link to="/namespaces">{t('namespaces.title')}</Link>}>
        <Empty
          icon={<Boxes aria-hidden />}
          title={t('namespaces.noSuch', { name })}
          hint={t('common.errors.notFound')}
          action={<ButtonLink to="/namespaces">{t('shell.toHome')}</ButtonLink>}
        />
      </Page>
    );
  }
  return <Shown namespace={namespace} />;
}

function Shown({ namespace }: { namespace: Namespace }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { tab = 'overview' } = useSearch({ from: '/shell/namespaces/$name' });
  const { name } = namespace.metadata;
  const bindings = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  const here = useMemo(() => byNamespace(bindings.items).get(name) ?? [], [bindings.items, name]);
  const members = useMemo(() => membersIn(here), [here]);
  const state = stateOf(namespace);
  const waits = waitsFor(namespace);
  const description = useDescription()(namespace);
  const items = TABS.map((id) => ({
    id,
    label: t(`namespaces.tabNames.${id}`),
    ...(id === 'members' && { count: members.length }),
  }));
  const select = (next: NamespaceTab) => {
    void navigate({
      to: '/namespaces/$name',
      params: { name },
      search: (before) => ({ ...before, tab: next }),
      replace: true,
    });
  };
  return (
    <Page
      title={name}
      fill={tab === 'members' || tab === 'resources' || tab === 'events'}
      mark={<State tone={stateTones[state]}>{t(`namespaces.${state}`)}</State>}
      lead={description === '' ? undefined : <bdi>{description}</bdi>}
      crumbs={<Link to="/namespaces">{t('namespaces.title')}</Link>}
      actions={<Actions namespace={namespace} />}
    >
      {state === 'Terminating' && (
        <Banner tone="warn" title={t('namespaces.terminating')}>
          {waits.length > 0 ? (
            <ul>
              {waits.map((each) => (
                <li key={each}>{each}</li>
              ))}
            </ul>
          ) : (
            t('namespaces.terminatingSoon')
          )}
        </Banner>
      )}
      {NOT_FOR_PRODUCTION.has(name) && (
        <Banner tone="warn">{t('shell.notForProduction', { name })}</Banner>
      )}
      {isReserved(name) && <Banner tone="info">{t('namespaces.systemHint')}</Banner>}
      <Tabs label={name} items={items} selected={tab} onSelect={select}>
        {tab === 'overview' && <Overview namespace={namespace} />}
        {tab === 'members' && <Members namespace={name} members={members} />}
        {tab === 'resources' && <NamespaceResources namespace={name} />}
        {tab === 'events' && <NamespaceEvents namespace={name} />}
        {tab === 'access' && <Access bindings={here} />}
      </Tabs>
    </Page>
  );
}

function Actions({ namespace }: { namespace: Namespace }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { name } = namespace.metadata;
  const [open, setOpen] = useState<'yaml' | 'delete'>();
  const mayUpdate = useMay({ verb: 'update', resource: NAMESPACES, namespace: name, name });
  const mayDelete = useMay({ verb: 'delete', resource: NAMESPACES, namespace: name, name });
  const row = useMemo(() => [{ namespace, name, state: stateOf(namespace) }], [namespace, name]);
  const editable = mayUpdate.allowed !== false && !isReserved(name);
  const why = isReserved(name)
    ? t('namespaces.deleteReserved')
    : mayDelete.allowed === false
      ? t('common.notAllowedPlain')
      : undefined;
  const actions = (): MenuAction[] => [
    {
      id: 'yaml',
      label: editable ? t('common.editYaml') : t('common.viewYaml'),
      onAction: () => setOpen('yaml'),
    },
    {
      id: 'download',
      label: t('common.downloadYaml'),
      onAction: () => void downloadYaml(NAMESPACES, [namespace]),
    },
    {
      id: 'delete',
      label: t('common.delete'),
      danger: true,
      why,
      onAction: () => setOpen('delete'),
    },
  ];
  return (
    <>
      {editable && (
        <ButtonLink icon={<Pencil aria-hidden />} to="/namespaces/$name/edit" params={{ name }}>
          {t('common.edit')}
        </ButtonLink>
      )}
      <ActionMenu
        label={t('common.actionsOf', { name })}
        actions={actions}
        trigger={
          <IconButton
            look="secondary"
            label={t('common.actionsOf', { name })}
            icon={<Ellipsis aria-hidden />}
          />
        }
      />
      <YamlDialog
        resource={NAMESPACES}
        object={namespace}
        title={t('common.yamlOf', { name })}
        open={open === 'yaml'}
        onClose={() => setOpen(undefined)}
        readOnly={!editable}
      />
      <DeleteNamespaces
        rows={row}
        open={open === 'delete'}
        onClose={() => setOpen(undefined)}
        onDone={() => void navigate({ to: '/namespaces' })}
      />
    </>
  );
}
