import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Copy, Pencil, SearchX, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay, type Answer } from '../../api/access';
import { useCollection } from '../../api/collections';
import { ROLE_TEMPLATE_BINDINGS } from '../../api/resources';
import { rowsOf, whyNotInForce, type RoleTemplateBinding } from '../../domain/members';
import { useDescription } from '../../i18n/platform';
import { Age } from '../../ui/Age';
import { MayButton } from '../../ui/Button';
import { Card, Empty, Loading, Page } from '../../ui/Page';
import { DeleteObjects } from '../resources/DeleteObjects';
import { Conditions } from '../resources/Overview';
import { useObject } from '../resources/useObject';
import { ROLE_KINDS, scopeOf, type Role, type RoleKind } from './roleKinds';
import { RolesLink } from './RolesLink';
import { Marks } from './RolesPage';
import { RulesTable } from './RulesTable';
import { useRoleName } from './useRoleName';

const route = getRouteApi('/shell/roles/$scope/$name');

export function RolePage() {
  const { t } = useTranslation();
  const { scope: word, name } = route.useParams();
  const kind = ROLE_KINDS[scopeOf(word)];
  const { scope } = kind;
  const roleName = useRoleName(scope);
  const descriptionOf = useDescription();
  const { object, loading, gone } = useObject(kind.resource, name);
  const role = object as Role | undefined;
  return (
    <Page
      title={roleName(name)}
      crumbs={<RolesLink scope={scope} />}
      mark={role && <Marks role={role} kind={kind} />}
      lead={role && <bdi>{descriptionOf(role)}</bdi>}
      actions={role && <RoleButtons kind={kind} role={role} />}
    >
      {role ? (
        <Known kind={kind} role={role} />
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

function RoleButtons({ kind, role }: { kind: RoleKind; role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const { resource, scope } = kind;
  const { name } = role.metadata;
  const mayUpdate = useMay({ verb: 'update', resource, name });
  const mayCreate = useMay({ verb: 'create', resource });
  const asked = useMay({ verb: 'delete', resource, name });
  const mayDelete: Answer = role.spec?.builtin
    ? { allowed: false, reason: t('roles.builtinStays') }
    : asked;
  const toList = () => void navigate({ to: '/roles', search: scope === 'global' ? { scope } : {} });
  return (
    <>
      <MayButton
        answer={mayUpdate}
        icon={<Pencil aria-hidden />}
        onPress={() => void navigate({ to: '/roles/$scope/$name/edit', params: { scope, name } })}
      >
        {t('common.edit')}
      </MayButton>
      <MayButton
        answer={mayCreate}
        icon={<Copy aria-hidden />}
        onPress={() =>
          void navigate({ to: '/roles/new/$scope', params: { scope }, search: { from: name } })
        }
      >
        {t('roles.copy')}
      </MayButton>
      <MayButton answer={mayDelete} icon={<Trash2 aria-hidden />} onPress={() => setDeleting(true)}>
        {t('common.delete')}
      </MayButton>
      <DeleteObjects
        resource={resource}
        objects={[role]}
        open={deleting}
        onClose={() => setDeleting(false)}
        onDone={toList}
        lead={t('roles.deleteLead')}
      />
    </>
  );
}

function Known({ kind, role }: { kind: RoleKind; role: Role }) {
  const { t } = useTranslation();
  const namespaced = Object.entries(role.namespacedRules ?? {});
  return (
    <div className="stack">
      <Card title={t('roles.rules')}>
        <RulesTable rules={role.rules ?? []} />
      </Card>
      {namespaced.map(([namespace, rules]) => (
        <Card key={namespace} title={t('roles.alsoIn', { namespace })}>
          <RulesTable rules={rules} />
        </Card>
      ))}
      <Holders kind={kind} name={role.metadata.name} />
      <Conditions object={role} />
    </div>
  );
}

/** Who has the role, as far as one may see it. */
function Holders({ kind, name }: { kind: RoleKind; name: string }) {
  const { t } = useTranslation();
  const { items } = useCollection<RoleTemplateBinding>(ROLE_TEMPLATE_BINDINGS);
  const rows = useMemo(
    () =>
      rowsOf(
        items.filter(
          ({ roleTemplateRef }) =>
            roleTemplateRef.kind === kind.refKind && roleTemplateRef.name === name,
        ),
      ).sort((one, other) =>
        (one.binding.namespaceId ?? '').localeCompare(other.binding.namespaceId ?? ''),
      ),
    [items, kind.refKind, name],
  );
  return (
    <Card title={t('roles.holders')}>
      {rows.length === 0 ? (
        <p className="muted">{t('roles.nobody')}</p>
      ) : (
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t('roles.who')}</th>
              <th scope="col">{t('roles.where')}</th>
              <th scope="col">{t('common.age')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ binding, subject }) => (
              <tr key={`${binding.metadata.name} ${subject.kind} ${subject.name}`}>
                <td>
                  {subject.kind === 'User' ? (
                    <Link to="/users/$name" params={{ name: subject.name }}>
                      <bdi>{subject.name}</bdi>
                    </Link>
                  ) : (
                    <bdi>{t('users.byGroup', { name: subject.name })}</bdi>
                  )}
                  {whyNotInForce(binding) !== '' && (
                    <span className="muted">
                      {' · '}
                      {t('users.notInForce', { reason: whyNotInForce(binding) })}
                    </span>
                  )}
                </td>
                <td>
                  {binding.namespaceId === undefined ? (
                    t('roles.wholeCluster')
                  ) : (
                    <Link to="/namespaces/$name" params={{ name: binding.namespaceId }}>
                      <bdi>{binding.namespaceId}</bdi>
                    </Link>
                  )}
                </td>
                <td>
                  <Age of={binding.metadata.creationTimestamp} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
