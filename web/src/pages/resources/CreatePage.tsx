import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { collectionOf, useCollection } from '../../api/collections';
import { createObject, NAMESPACES, type Manifest } from '../../api/resources';
import { useChosenNamespaces } from '../../app/chosen';
import { NotFound } from '../../app/RouteProblem';
import { placeOf } from '../../domain/namespaces';
import type { Kind } from '../../kinds/kind';
import { useKind } from '../../kinds/kinds';
import { textAt, withAt } from '../../kinds/reading';
import { Problem } from '../../ui/Banner';
import { Button, MayButton } from '../../ui/Button';
import { ComboBox } from '../../ui/ComboBox';
import { TextField } from '../../ui/Fields';
import { NotForProduction } from '../../ui/NotForProduction';
import { Card, Loading, Page } from '../../ui/Page';
import { toast } from '../../ui/toasts';
import { nameProblem } from './names';
import { isComplete, ObjectForm } from './ObjectForm';
import { placeOfList, placeOfObject } from './places';
import { useOne, useTitle } from './useTitle';
import { useAttempt } from '../../ui/useAttempt';
import './resources.css';

const CreateYaml = lazy(() => import('./CreateYaml'));
const route = getRouteApi('/shell/create/$kind');

export function CreatePage() {
  const { t } = useTranslation();
  const { kind: name } = route.useParams();
  const { namespace } = route.useSearch();
  const { names } = useChosenNamespaces();
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
  const first = namespace ?? (names.length === 1 ? names[0] : undefined);
  return <Create key={name} kind={kind} first={first ?? ''} />;
}

/** A form for the main fields, or the whole as YAML: both are about one manifest. */
function Create({ kind, first }: { kind: Kind; first: string }) {
  const { t } = useTranslation();
  const title = useTitle();
  const one = useOne();
  const navigate = useNavigate();
  const { resource } = kind;
  const [manifest, setManifest] = useState<object>(() => kind.template(first));
  const [asYaml, setAsYaml] = useState(kind.form === undefined);
  const namespace = textAt(manifest, 'metadata', 'namespace');
  const create = async (what: object) => {
    const made = await createObject(resource, what as Manifest);
    collectionOf(resource, made.metadata.namespace).put(made);
    toast({ tone: 'ok', title: t('kinds.made', { name: made.metadata.name }) });
    await navigate(placeOfObject(resource, made));
  };
  const leave = () => void navigate(placeOfList(resource));
  return (
    <Page
      title={t('kinds.create', { kind: one(kind) })}
      crumbs={<Link {...placeOfList(resource)}>{title(kind)}</Link>}
      fill={asYaml}
      actions={
        kind.form &&
        !asYaml && <Button onPress={() => setAsYaml(true)}>{t('common.editYaml')}</Button>
      }
    >
      <NotForProduction namespace={namespace} />
      {asYaml ? (
        <Suspense fallback={<Loading label={t('common.loading')} />}>
          <CreateYaml
            resource={resource}
            manifest={manifest}
            onCreate={create}
            onCancel={leave}
            {...(kind.form && {
              onForm: (next: object) => {
                setManifest(next);
                setAsYaml(false);
              },
            })}
          />
        </Suspense>
      ) : (
        <CreateForm {...{ kind, manifest, create }} onChange={setManifest} onCancel={leave} />
      )}
    </Page>
  );
}

interface FormProps {
  kind: Kind;
  manifest: object;
  onChange: (manifest: object) => void;
  create: (manifest: object) => Promise<void>;
  onCancel: () => void;
}

function CreateForm({ kind, manifest, onChange, create, onCancel }: FormProps) {
  const { t } = useTranslation();
  const { busy, error, attempt } = useAttempt();
  const fields = kind.form?.fields ?? [];
  const name = textAt(manifest, 'metadata', 'name');
  const namespace = textAt(manifest, 'metadata', 'namespace');
  const problem = nameProblem(name);
  const { namespaced } = kind.resource;
  const place = namespaced && namespace !== '' ? { namespace } : {};
  const asked = useMay({ verb: 'create', resource: kind.resource, ...place });
  const answer = namespaced && namespace === '' ? { allowed: true, reason: '' } : asked;
  const ready =
    name !== '' &&
    problem === undefined &&
    (!namespaced || namespace !== '') &&
    isComplete(fields, manifest);
  const submit = () =>
    attempt(async () => {
      await create(manifest);
    });
  return (
    <form
      className="form-page"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !busy && answer.allowed !== false) void submit();
      }}
    >
      <Card>
        <div className="form-grid">
          <TextField
            label={t('common.name')}
            value={name}
            isRequired
            autoComplete="off"
            hint={t('kinds.nameHint')}
            problem={problem && t(problem)}
            onChange={(value) => onChange(withAt(manifest, ['metadata', 'name'], value))}
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the page is about filling this in
            autoFocus
          />
          {namespaced && (
            <NamespaceField
              value={namespace}
              onChange={(value) => onChange(withAt(manifest, ['metadata', 'namespace'], value))}
              problem={answer.allowed === false ? t('kinds.notHere') : undefined}
            />
          )}
        </div>
        <ObjectForm {...{ fields, manifest, onChange }} exists={false} />
      </Card>
      {error !== undefined && <Problem error={error} />}
      <footer className="form-foot">
        <Button onPress={onCancel}>{t('common.cancel')}</Button>
        <MayButton look="primary" type="submit" answer={answer} isDisabled={!ready} busy={busy}>
          {t('common.create')}
        </MayButton>
      </footer>
    </form>
  );
}

const order = { mine: 0, public: 1, system: 2 } as const;

/** The namespaces that one sees, one's own first. */
function NamespaceField(props: {
  value: string;
  onChange: (value: string) => void;
  problem: string | undefined;
}) {
  const { t } = useTranslation();
  const { items } = useCollection(NAMESPACES);
  const options = useMemo(
    () =>
      items
        .filter((each) => each.metadata.deletionTimestamp === undefined)
        .map((each) => ({ id: each.metadata.name, place: order[placeOf(each)] }))
        .sort((one, other) => one.place - other.place || (one.id < other.id ? -1 : 1))
        .map(({ id }) => ({ id, label: id })),
    [items],
  );
  return (
    <ComboBox
      label={t('shell.namespace')}
      value={props.value}
      onChange={props.onChange}
      options={options}
      placeholder={t('kinds.chooseNamespace')}
      problem={props.problem}
    />
  );
}
