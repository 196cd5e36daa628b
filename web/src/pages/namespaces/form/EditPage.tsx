import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../../api/access';
import { useCollection, useCollectionIf } from '../../../api/collections';
import { NAMESPACES, RESOURCE_QUOTAS } from '../../../api/resources';
import { isAdmin } from '../../../api/session';
import { useIdentity } from '../../../app/useIdentity';
import { saveNamespace } from '../../../domain/editNamespace';
import { DESCRIPTION, descriptionOf, type Namespace } from '../../../domain/namespaces';
import { isLimit, QUOTA_NAME, type ResourceQuota } from '../../../domain/quota';
import { Banner, Problem } from '../../../ui/Banner';
import { Button, MayButton } from '../../../ui/Button';
import { TextField } from '../../../ui/Fields';
import { Card, Empty, Loading, Page } from '../../../ui/Page';
import { toast } from '../../../ui/toasts';
import { YamlDialog } from '../../../ui/YamlDialog';
import { mapOf, PairsField, pairsOf, type Pair } from './PairsField';
import { QuotaFields } from './QuotaField';
import { useAttempt } from '../../../ui/useAttempt';
import './form.css';

export function EditPage() {
  const { t } = useTranslation();
  const { name } = useParams({ from: '/shell/namespaces/$name/edit' });
  const { byKey, freshness } = useCollection<Namespace>(NAMESPACES);
  const namespace = byKey.get(name);
  const quotas = useCollectionIf<ResourceQuota>(namespace !== undefined, RESOURCE_QUOTAS, name);
  if (freshness === 'loading' || quotas.freshness === 'loading') {
    return <Loading label={t('common.loading')} />;
  }
  if (!namespace) {
    return (
      <Page title={name} crumbs={<Link to="/namespaces">{t('namespaces.title')}</Link>}>
        <Empty title={t('namespaces.noSuch', { name })} hint={t('common.errors.notFound')} />
      </Page>
    );
  }
  // Of several the page's own; a single one whatever its name.
  const quota =
    quotas.items.find((each) => each.metadata.name === QUOTA_NAME) ??
    (quotas.items.length === 1 ? quotas.items[0] : undefined);
  return <EditForm key={namespace.metadata.uid} namespace={namespace} quota={quota} />;
}

function otherAnnotations(namespace: Namespace): Record<string, string> {
  const others = { ...namespace.metadata.annotations };
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a copy, by a constant
  delete others[DESCRIPTION];
  return others;
}

/** Begins with what was there when it was opened; who was faster is told by the server. */
function EditForm({
  namespace,
  quota,
}: {
  namespace: Namespace;
  quota: ResourceQuota | undefined;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { name } = namespace.metadata;
  const admin = isAdmin(useIdentity());
  const may = useMay({ verb: 'update', resource: NAMESPACES, namespace: name, name });
  const mayQuota = useMay({ verb: 'update', resource: RESOURCE_QUOTAS, namespace: name });
  const [before] = useState({ namespace, quota });
  const [description, setDescription] = useState(descriptionOf(namespace));
  const [limits, setLimits] = useState<ReadonlyMap<string, string>>(
    new Map(Object.entries(quota?.spec?.hard ?? {})),
  );
  const [labels, setLabels] = useState<readonly Pair[]>(() => pairsOf(namespace.metadata.labels));
  const [annotations, setAnnotations] = useState<readonly Pair[]>(() =>
    pairsOf(otherAnnotations(namespace)),
  );
  const [yaml, setYaml] = useState(false);
  const { busy, error, attempt } = useAttempt();
  const bad = [...limits.values()].some((each) => !isLimit(each));
  const leave = () => navigate({ to: '/namespaces/$name', params: { name } });

  const save = () =>
    attempt(async () => {
      await saveNamespace(before, {
        description,
        labels: mapOf(labels),
        annotations: mapOf(annotations),
        ...(mayQuota.allowed && { limits }),
      });
      toast({ tone: 'ok', title: t('common.saved', { name }) });
      await leave();
    });

  return (
    <Page
      title={t('namespaces.editTitle', { name })}
      crumbs={
        <>
          <Link to="/namespaces">{t('namespaces.title')}</Link> /{' '}
          <Link to="/namespaces/$name" params={{ name }}>
            <bdi>{name}</bdi>
          </Link>
        </>
      }
      actions={<Button onPress={() => setYaml(true)}>{t('common.editYaml')}</Button>}
    >
      <Form
        className="namespace-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!bad && !busy) void save();
        }}
      >
        <Card title={t('namespaces.basics')}>
          <TextField
            label={t('common.description')}
            optional
            multiline
            value={description}
            onChange={setDescription}
          />
        </Card>
        <Card title={t('namespaces.quotaTitle')}>
          {mayQuota.allowed === false ? (
            <Banner tone="info">{t('namespaces.quotaAdmins')}</Banner>
          ) : (
            <p className="form-lead">{t('namespaces.quotaLead')}</p>
          )}
          <QuotaFields
            quota={limits}
            onChange={setLimits}
            isDisabled={mayQuota.allowed === false}
          />
        </Card>
        <Card title={t('namespaces.metadata')}>
          <p className="form-lead">{t('namespaces.metadataLead')}</p>
          <PairsField
            label={t('namespaces.labels')}
            add={t('namespaces.addLabel')}
            pairs={labels}
            onChange={setLabels}
            mayProtected={admin}
          />
          <PairsField
            label={t('namespaces.annotations')}
            add={t('namespaces.addAnnotation')}
            pairs={annotations}
            onChange={setAnnotations}
            mayProtected={admin}
          />
        </Card>
        {error !== undefined && <Problem error={error} />}
        <footer className="form-foot">
          <Button onPress={() => void leave()}>{t('common.cancel')}</Button>
          <MayButton answer={may} look="primary" type="submit" busy={busy} isDisabled={bad}>
            {t('common.save')}
          </MayButton>
        </footer>
      </Form>
      <YamlDialog
        resource={NAMESPACES}
        object={namespace}
        title={t('common.yamlOf', { name })}
        open={yaml}
        onClose={() => setYaml(false)}
      />
    </Page>
  );
}
