import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { resourceName, useDiscovery } from '../../api/discovery';
import type { KubeObject } from '../../api/objects';
import { isBrowsable } from '../../kinds/kinds';
import type { Kind } from '../../kinds/kind';
import { listAt, textAt } from '../../kinds/reading';
import { conditionsOf } from '../../kinds/state';
import { DESCRIPTION } from '../../domain/namespaces';
import { useDescription } from '../../i18n/platform';
import { Age } from '../../ui/Age';
import { Tag } from '../../ui/Badge';
import { Card } from '../../ui/Page';
import { DataCard } from './DataCard';
import { useValue } from './useValue';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What there is to know of one object. */
export function Overview({ kind, object }: { kind: Kind; object: KubeObject }) {
  const { t } = useTranslation();
  const { metadata } = object;
  const labels = Object.entries(metadata.labels ?? {});
  // What kubectl keeps for itself repeats the object, values of Secrets included.
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => key !== LAST_APPLIED && key !== DESCRIPTION,
  );
  return (
    <div className="stack">
      <Card title={t('kinds.tabs.overview')}>
        <dl className="facts">
          <Facts kind={kind} object={object} />
        </dl>
      </Card>
      {kind.data !== undefined && <DataCard object={object} secret={kind.data === 'secret'} />}
      <Conditions object={object} />
      {(labels.length > 0 || annotations.length > 0) && (
        <Card title={t('kinds.labelsAndAnnotations')}>
          <dl className="stack">
            {labels.length > 0 && <Pairs title={t('kinds.labels')} pairs={labels} />}
            {annotations.length > 0 && <Pairs title={t('kinds.annotations')} pairs={annotations} />}
          </dl>
        </Card>
      )}
    </div>
  );
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ kind, object }: { kind: Kind; object: KubeObject }) {
  const { t } = useTranslation();
  const shown = useValue();
  const { metadata } = object;
  const description = useDescription()(object);
  return (
    <>
      {description !== '' && (
        <Fact title={t('common.description')}>
          <bdi>{description}</bdi>
        </Fact>
      )}
      {kind.columns.map((each) => {
        const text = shown(each, object);
        if (text === '' || each.listOnly) return null;
        return (
          <Fact key={each.id} title={t(each.header)}>
            <bdi className={each.mono ? 'mono' : undefined}>{text}</bdi>
          </Fact>
        );
      })}
      <Fact title={t('kinds.created')}>
        <Age of={metadata.creationTimestamp} />
      </Fact>
      <Owners object={object} />
      <Fact title="UID">
        <span className="mono">{metadata.uid}</span>
      </Fact>
    </>
  );
}

/** What made it, and takes it along when it goes. */
function Owners({ object }: { object: KubeObject }) {
  const { t } = useTranslation();
  const { served } = useDiscovery();
  const owners = listAt(object, 'metadata', 'ownerReferences');
  const { namespace } = object.metadata;
  if (owners.length === 0) return null;
  return (
    <Fact title={t('kinds.owners')}>
      {owners.map((each) => {
        const [kind, name] = [textAt(each, 'kind'), textAt(each, 'name')];
        const group = textAt(each, 'apiVersion').split('/').slice(0, -1).join('/');
        const found = served?.find(
          (one) => one.kind === kind && one.group === group && isBrowsable(one),
        );
        const text = <bdi>{`${kind} ${name}`}</bdi>;
        const key = textAt(each, 'uid') || `${kind}/${name}`;
        if (!found || (found.namespaced && namespace === undefined)) {
          return <div key={key}>{text}</div>;
        }
        const params = { kind: resourceName(found), name };
        return (
          <div key={key}>
            {found.namespaced ? (
              <Link
                to="/resources/$kind/$namespace/$name"
                params={{ ...params, namespace: namespace ?? '' }}
              >
                {text}
              </Link>
            ) : (
              <Link to="/resources/$kind/$name" params={params}>
                {text}
              </Link>
            )}
          </div>
        );
      })}
    </Fact>
  );
}

function Pairs({ title, pairs }: { title: string; pairs: readonly (readonly [string, string])[] }) {
  return (
    <div className="stack-s">
      <dt className="muted">{title}</dt>
      <dd className="labels">
        {pairs.map(([key, value]) => (
          <Tag key={key}>
            <bdi>{value === '' ? key : `${key}: ${value}`}</bdi>
          </Tag>
        ))}
      </dd>
    </div>
  );
}

export function Conditions({ object }: { object: KubeObject }) {
  const { t } = useTranslation();
  const conditions = conditionsOf(object);
  if (conditions.length === 0) return null;
  return (
    <Card title={t('kinds.conditions')}>
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{t('kinds.columns.type')}</th>
            <th scope="col">{t('common.state')}</th>
            <th scope="col">{t('kinds.columns.message')}</th>
            <th scope="col">{t('common.age')}</th>
          </tr>
        </thead>
        <tbody>
          {conditions.map((each) => (
            <tr key={each.type}>
              <td>{each.type}</td>
              <td>{each.status}</td>
              <td>
                <bdi>{[each.reason, each.message].filter(Boolean).join(': ')}</bdi>
              </td>
              <td>
                <Age of={each.lastTransitionTime} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
