import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { collectionOf } from '../../api/collections';
import { createObject, replaceObject } from '../../api/resources';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Empty, Loading, Page } from '../../ui/Page';
import { toast } from '../../ui/toasts';
import { useObject } from '../resources/useObject';
import { ROLE_KINDS, scopeOf, type Role, type RoleKind } from './roleKinds';
import { RoleForm } from './RoleForm';
import { RolesLink } from './RolesLink';
import { useRoleName } from './useRoleName';

const newRoute = getRouteApi('/shell/roles/new/$scope');
const editRoute = getRouteApi('/shell/roles/$scope/$name/edit');

export function NewRolePage() {
  const { t } = useTranslation();
  const { scope: word } = newRoute.useParams();
  const { from } = newRoute.useSearch();
  const kind = ROLE_KINDS[scopeOf(word)];
  const { scope } = kind;
  return (
    <Page
      title={scope === 'global' ? t('roles.createGlobal') : t('roles.createNamespace')}
      lead={t(`roles.about.${scope}`)}
      crumbs={<RolesLink scope={scope} />}
    >
      {from === undefined ? (
        <NewRole kind={kind} rules={[]} />
      ) : (
        <CopiedRole key={from} kind={kind} from={from} />
      )}
    </Page>
  );
}

/** A new role that begins with the rules of another. */
function CopiedRole({ kind, from }: { kind: RoleKind; from: string }) {
  const { t } = useTranslation();
  const { object, loading } = useObject(kind.resource, from);
  if (loading) return <Loading label={t('common.loading')} />;
  const role = object as Role | undefined;
  return <NewRole kind={kind} rules={role?.rules ?? []} />;
}

function NewRole({ kind, rules }: { kind: RoleKind; rules: NonNullable<Role['rules']> }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { resource, scope } = kind;
  const answer = useMay({ verb: 'create', resource });
  const save = async (role: Role) => {
    const made = await createObject<Role>(resource, role);
    collectionOf<Role>(resource).put(made);
    const { name } = made.metadata;
    toast({ tone: 'ok', title: t('kinds.made', { name }) });
    await navigate({ to: '/roles/$scope/$name', params: { scope, name } });
  };
  return (
    <RoleForm
      kind={kind}
      role={{ metadata: { name: '' }, rules }}
      exists={false}
      answer={answer}
      onSave={save}
      onCancel={() => void navigate({ to: '/roles', search: scope === 'global' ? { scope } : {} })}
    />
  );
}

export function EditRolePage() {
  const { t } = useTranslation();
  const { scope: word, name } = editRoute.useParams();
  const kind = ROLE_KINDS[scopeOf(word)];
  const { scope } = kind;
  const roleName = useRoleName(scope);
  const { object, loading } = useObject(kind.resource, name);
  return (
    <Page
      title={t('roles.editTitle', { name: roleName(name) })}
      crumbs={
        <>
          <RolesLink scope={scope} /> /{' '}
          <Link to="/roles/$scope/$name" params={{ scope, name }}>
            <bdi>{roleName(name)}</bdi>
          </Link>
        </>
      }
    >
      {object ? (
        <EditRole key={`${scope}/${name}`} kind={kind} live={object} />
      ) : loading ? (
        <Loading label={t('common.loading')} />
      ) : (
        <Empty
          icon={<SearchX aria-hidden />}
          title={t('kinds.missing', { name })}
          hint={t('common.errors.notFound')}
        />
      )}
    </Page>
  );
}

function EditRole({ kind, live }: { kind: RoleKind; live: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { resource, scope } = kind;
  const { name } = live.metadata;
  const [base, setBase] = useState(live);
  const answer = useMay({ verb: 'update', resource, name });
  const leave = () => navigate({ to: '/roles/$scope/$name', params: { scope, name } });
  const save = async (role: Role) => {
    collectionOf<Role>(resource).put(await replaceObject<Role>(resource, role));
    toast({ tone: 'ok', title: t('common.saved', { name }) });
    await leave();
  };
  const behind = base.metadata.resourceVersion !== live.metadata.resourceVersion;
  return (
    <>
      {behind && (
        <Banner
          tone="warn"
          action={
            <Button size="small" onPress={() => setBase(live)}>
              {t('kinds.loadNewest')}
            </Button>
          }
        >
          {t('kinds.changedMeanwhile')}
        </Banner>
      )}
      <RoleForm
        key={base.metadata.resourceVersion}
        kind={kind}
        role={base}
        exists
        answer={answer}
        onSave={save}
        onCancel={() => void leave()}
      />
    </>
  );
}
