import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useMay, type Answer } from '../../api/access';
import { resourceName } from '../../api/discovery';
import { useChosenNamespaces } from '../../app/chosen';
import { NotFound } from '../../app/RouteProblem';
import type { Kind } from '../../kinds/kind';
import { useKind } from '../../kinds/kinds';
import { Tag } from '../../ui/Badge';
import { Problem } from '../../ui/Banner';
import { MayButton } from '../../ui/Button';
import { ButtonLink } from '../../ui/Links';
import { Empty, Loading, Page } from '../../ui/Page';
import { ResourceTable } from './ResourceTable';
import { useOne, useTitle } from './useTitle';

const route = getRouteApi('/shell/resources/$kind');

/** The list of a kind, in the namespaces that are chosen. */
export function ResourceListPage() {
  const { t } = useTranslation();
  const { kind: name } = route.useParams();
  const { kind, loading, error } = useKind(name);
  if (loading) return <Loading label={t('common.loading')} />;
  if (error !== undefined) {
    return (
      <Page title={name}>
        <Problem error={error} />
      </Page>
    );
  }
  if (!kind) return <NotFound />;
  return <KindPage key={name} kind={kind} />;
}

function KindPage({ kind }: { kind: Kind }) {
  const { t } = useTranslation();
  const title = useTitle();
  const { names } = useChosenNamespaces();
  const { resource } = kind;
  const namespaces = resource.namespaced ? names : [];
  return (
    <Page
      title={title(kind)}
      lead={kind.lead === undefined ? undefined : t(kind.lead)}
      mark={!resource.namespaced && <Tag>{t('kinds.clusterWide')}</Tag>}
      actions={!kind.found && <CreateButton kind={kind} namespaces={namespaces} />}
      fill
    >
      <ResourceTable
        kind={kind}
        namespaces={namespaces}
        empty={<NoObjects kind={kind} namespaces={namespaces} />}
      />
    </Page>
  );
}

/** Leads to the page that makes one; where nobody knows the namespace yet, that page asks for it. */
export function CreateButton({ kind, namespaces }: { kind: Kind; namespaces: readonly string[] }) {
  const { t } = useTranslation();
  const one = useOne();
  const { resource } = kind;
  const [only] = namespaces;
  const place = resource.namespaced && namespaces.length === 1 && only ? { namespace: only } : {};
  const asked = useMay({ verb: 'create', resource, ...place });
  const open = resource.namespaced && namespaces.length !== 1;
  const answer: Answer = open ? { allowed: true, reason: '' } : asked;
  const label = t('kinds.create', { kind: one(kind) });
  if (answer.allowed === false) {
    return (
      <MayButton look="primary" answer={answer} icon={<Plus aria-hidden />}>
        {label}
      </MayButton>
    );
  }
  return (
    <ButtonLink
      look="primary"
      icon={<Plus aria-hidden />}
      to="/create/$kind"
      params={{ kind: resourceName(resource) }}
      search={only === undefined ? {} : { namespace: only }}
    >
      {label}
    </ButtonLink>
  );
}

export function NoObjects({ kind, namespaces }: { kind: Kind; namespaces: readonly string[] }) {
  const { t } = useTranslation();
  const one = useOne();
  const Icon = kind.icon;
  const [only] = namespaces;
  const named = { kind: one(kind) };
  const title =
    namespaces.length === 1 && only !== undefined
      ? t('kinds.noneIn', { ...named, namespace: only })
      : namespaces.length > 1
        ? t('kinds.noneInChosen', named)
        : t('kinds.none', named);
  return (
    <Empty
      icon={<Icon aria-hidden />}
      title={title}
      hint={kind.empty === undefined ? t('kinds.noneHint') : t(kind.empty)}
    />
  );
}
