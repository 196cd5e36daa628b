import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../../api/access';
import { useCollection, useCollectionIf } from '../../../api/collections';
import type { KubeObject } from '../../../api/objects';
import {
  CONFIG_MAPS,
  MODEL_SERVICES,
  NOTEBOOKS,
  PODS,
  RESOURCE_QUOTAS,
  SECRETS,
  type Resource,
} from '../../../api/resources';
import { DESCRIPTION, isProtectedKey, type Namespace } from '../../../domain/namespaces';
import { useQuotaWords } from '../quotaWords';
import { inOrder, usesOf, type ResourceQuota } from '../../../domain/quota';
import { Age } from '../../../ui/Age';
import { Meter, Tag } from '../../../ui/Badge';
import { SafeLink } from '../../../ui/Links';
import { Card } from '../../../ui/Page';
import { useStateWord } from '../../resources/useStateWord';

export function Overview({ namespace }: { namespace: Namespace }) {
  const { name } = namespace.metadata;
  return (
    <div className="overview">
      <Contents namespace={name} />
      <Quota namespace={name} />
      <Facts namespace={namespace} />
      <Conditions namespace={namespace} />
    </div>
  );
}

function Contents({ namespace }: { namespace: string }) {
  const { t } = useTranslation();
  return (
    <Card title={t('namespaces.contents')}>
      <ul className="counts">
        <Count resource={NOTEBOOKS} label={t('shell.notebooks')} namespace={namespace} />
        <Count resource={MODEL_SERVICES} label={t('shell.modelServices')} namespace={namespace} />
        <Count resource={PODS} label={t('namespaces.pods')} namespace={namespace} />
        <Count resource={CONFIG_MAPS} label={t('shell.configMaps')} namespace={namespace} />
        <Count resource={SECRETS} label={t('shell.secrets')} namespace={namespace} />
      </ul>
    </Card>
  );
}

interface Stated extends KubeObject {
  status?: { state?: string; phase?: string };
}

/** How many of a kind there are, and in which states. */
function Count(props: { resource: Resource; label: string; namespace: string }) {
  const { resource, label, namespace } = props;
  const { t } = useTranslation();
  const say = useStateWord();
  const { allowed } = useMay({ verb: 'list', resource, namespace });
  const { items, freshness } = useCollectionIf<Stated>(allowed === true, resource, namespace);
  const refused = allowed === false || freshness === 'refused';
  const loading = allowed === undefined || freshness === 'loading';
  const states = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { status } of items) {
      const state = status?.state ?? status?.phase;
      if (state) counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  }, [items]);
  return (
    <li className="count">
      <span className="count-number numeric">{refused ? '–' : loading ? '…' : items.length}</span>
      <span>{label}</span>
      {refused && <span className="muted">{t('namespaces.notReadable')}</span>}
      <span className="row-wrap">
        {states.map(([state, count]) => (
          <Tag key={state}>
            {count} {say(state)}
          </Tag>
        ))}
      </span>
    </li>
  );
}

function Quota({ namespace }: { namespace: string }) {
  const { t } = useTranslation();
  const { items, freshness } = useCollection<ResourceQuota>(RESOURCE_QUOTAS, namespace);
  const words = useQuotaWords();
  const uses = useMemo(() => inOrder(usesOf(items)), [items]);
  return (
    <Card title={t('namespaces.quotaTitle')}>
      {uses.length === 0 ? (
        <p className="muted">
          {freshness === 'refused' ? t('namespaces.notReadable') : t('namespaces.noQuotaHint')}
        </p>
      ) : (
        <ul className="quota-uses">
          {uses.map((each) => (
            <li key={each.resource}>
              <span className="truncate" title={each.resource}>
                {words(each.resource)}
              </span>
              <Meter
                share={each.share}
                label={words(each.resource)}
                text={`${each.used} / ${each.hard}`}
              />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Facts({ namespace }: { namespace: Namespace }) {
  const { t } = useTranslation();
  const { labels = {}, annotations = {}, creationTimestamp, uid = '' } = namespace.metadata;
  const others = Object.entries(annotations).filter(([key]) => key !== DESCRIPTION);
  return (
    <Card title={t('namespaces.details')}>
      <dl className="fact-list">
        <dt>{t('common.age')}</dt>
        <dd>
          <Age of={creationTimestamp} />
        </dd>
        <dt>UID</dt>
        <dd className="mono">{uid}</dd>
        <dt>{t('namespaces.labels')}</dt>
        <dd>
          <Pairs pairs={Object.entries(labels)} />
        </dd>
        <dt>{t('namespaces.annotations')}</dt>
        <dd>
          <Pairs pairs={others} />
        </dd>
      </dl>
    </Card>
  );
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, string])[] }) {
  const { t } = useTranslation();
  if (pairs.length === 0) return <span className="muted">{t('common.none')}</span>;
  return (
    <ul className="stack-s">
      {pairs.map(([key, value]) => (
        <li key={key}>
          <bdi className="mono muted">{key}</bdi>
          {isProtectedKey(key) && (
            <>
              {' '}
              <Tag>{t('namespaces.protectedShort')}</Tag>
            </>
          )}
          <div className="pair-value">
            <SafeLink href={value} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function Conditions({ namespace }: { namespace: Namespace }) {
  const { t } = useTranslation();
  const conditions = namespace.status?.conditions ?? [];
  return (
    <Card title={t('namespaces.conditions')}>
      {conditions.length === 0 ? (
        <p className="muted">{t('namespaces.noConditions')}</p>
      ) : (
        <ul className="stack-s">
          {conditions.map((each) => (
            <li key={each.type}>
              <strong>{each.type}</strong> <Tag>{each.status}</Tag>
              <p className="muted">{each.message ?? each.reason}</p>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
