import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../../api/access';
import { useCollection } from '../../../api/collections';
import { NAMESPACES } from '../../../api/resources';
import { nameProblem } from '../../../domain/namespaces';
import { isLimit } from '../../../domain/quota';
import {
  carryOut,
  CreationError,
  planFromYaml,
  planOf,
  yamlOf,
  type Draft,
  type Plan,
} from '../../../domain/newNamespace';
import { Banner, Problem } from '../../../ui/Banner';
import { Button, MayButton } from '../../../ui/Button';
import { TextField } from '../../../ui/Fields';
import { Card, Page } from '../../../ui/Page';
import { toast } from '../../../ui/toasts';
import { YamlEditor } from '../../../ui/YamlEditor';
import { MembersField, type MemberDraft } from './MembersField';
import { mapOf, PairsField, type Pair } from './PairsField';
import { QuotaFields } from './QuotaField';
import { useAttempt } from '../../../ui/useAttempt';
import './form.css';

interface Filled {
  name: string;
  description: string;
  members: readonly MemberDraft[];
  quota: ReadonlyMap<string, string>;
  labels: readonly Pair[];
  annotations: readonly Pair[];
}

const nothing: Filled = {
  name: '',
  description: '',
  members: [],
  quota: new Map(),
  labels: [],
  annotations: [],
};

function draftOf(filled: Filled): Draft {
  return {
    ...filled,
    members: filled.members.filter((each) => each.member.name !== ''),
    labels: mapOf(filled.labels),
    annotations: mapOf(filled.annotations),
  };
}

export function CreatePage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const may = useMay({ verb: 'create', resource: NAMESPACES });
  const { byKey } = useCollection(NAMESPACES);
  const [filled, setFilled] = useState(nothing);
  const [yaml, setYaml] = useState<string>();
  const { busy, error, attempt } = useAttempt();
  const problem = nameProblem(filled.name, byKey);
  const bad = [...filled.quota.values()].some((each) => !isLimit(each));
  const ready = yaml !== undefined || (problem === null && !bad);

  const create = () =>
    attempt(async () => {
      const plan: Plan =
        yaml === undefined ? await planOf(draftOf(filled)) : await planFromYaml(yaml);
      const { namespace, pending } = await carryOut(plan);
      const { name } = namespace.metadata;
      toast({ tone: 'ok', title: t('namespaces.created', { name }) });
      if (pending.length > 0) {
        toast({ tone: 'warn', title: t('namespaces.notInForceYet', { count: pending.length }) });
      }
      await navigate({ to: '/namespaces/$name', params: { name } });
    });
  const showYaml = async () => {
    setYaml(await yamlOf(await planOf(draftOf(filled))));
  };

  return (
    <Page
      title={t('namespaces.create')}
      lead={t('namespaces.createLead')}
      crumbs={<Link to="/namespaces">{t('namespaces.title')}</Link>}
      actions={
        yaml === undefined ? (
          <Button onPress={() => void showYaml()}>{t('common.editYaml')}</Button>
        ) : (
          <Button onPress={() => setYaml(undefined)}>{t('namespaces.backToForm')}</Button>
        )
      }
    >
      <Form
        className="namespace-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void create();
        }}
      >
        {yaml === undefined ? (
          <Fields
            filled={filled}
            onChange={setFilled}
            problem={filled.name === '' ? null : problem}
          />
        ) : (
          <>
            <Banner tone="info">{t('namespaces.yamlLead')}</Banner>
            <div className="form-yaml">
              <YamlEditor value={yaml} onChange={setYaml} label={t('common.editYaml')} />
            </div>
          </>
        )}
        {error !== undefined && <CreationProblem error={error} />}
        <footer className="form-foot">
          <Button onPress={() => void navigate({ to: '/namespaces' })}>{t('common.cancel')}</Button>
          <MayButton answer={may} look="primary" type="submit" isDisabled={!ready} busy={busy}>
            {t('common.create')}
          </MayButton>
        </footer>
      </Form>
    </Page>
  );
}

function CreationProblem({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof CreationError)) return <Problem error={error} />;
  return (
    <>
      <Banner tone={error.left ? 'warn' : 'info'}>
        {error.left
          ? t('namespaces.somethingLeft', { what: error.what })
          : t('namespaces.nothingCreated', { what: error.what })}
      </Banner>
      <Problem error={error.cause} />
    </>
  );
}

function Fields(props: {
  filled: Filled;
  onChange: (filled: Filled) => void;
  problem: ReturnType<typeof nameProblem>;
}) {
  const { filled, onChange, problem } = props;
  const { t } = useTranslation();
  const put = (part: Partial<Filled>) => onChange({ ...filled, ...part });
  return (
    <>
      <Card title={t('namespaces.basics')}>
        <TextField
          label={t('common.name')}
          hint={t('namespaces.nameHint')}
          isRequired
          autoComplete="off"
          value={filled.name}
          problem={problem === null ? undefined : t(`namespaces.names.${problem}`)}
          onChange={(name) => put({ name })}
          // eslint-disable-next-line jsx-a11y/no-autofocus -- the page is this form
          autoFocus
        />
        <TextField
          label={t('common.description')}
          optional
          multiline
          value={filled.description}
          onChange={(description) => put({ description })}
        />
      </Card>
      <Card title={t('namespaces.members')}>
        <p className="form-lead">{t('namespaces.membersLead')}</p>
        <MembersField members={filled.members} onChange={(members) => put({ members })} />
      </Card>
      <Card title={t('namespaces.quotaTitle')}>
        <p className="form-lead">{t('namespaces.quotaLead')}</p>
        <QuotaFields quota={filled.quota} onChange={(quota) => put({ quota })} />
      </Card>
      <Card title={t('namespaces.metadata')}>
        <p className="form-lead">{t('namespaces.metadataLead')}</p>
        <PairsField
          label={t('namespaces.labels')}
          add={t('namespaces.addLabel')}
          pairs={filled.labels}
          onChange={(labels) => put({ labels })}
          mayProtected
        />
        <PairsField
          label={t('namespaces.annotations')}
          add={t('namespaces.addAnnotation')}
          pairs={filled.annotations}
          onChange={(annotations) => put({ annotations })}
          mayProtected
        />
      </Card>
    </>
  );
}
