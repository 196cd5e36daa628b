import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { collectionOf } from '../../api/collections';
import type { KubeObject } from '../../api/objects';
import { replaceObject } from '../../api/resources';
import type { Kind } from '../../kinds/kind';
import { Banner, Problem } from '../../ui/Banner';
import { Button, MayButton } from '../../ui/Button';
import { Card } from '../../ui/Page';
import { toast } from '../../ui/toasts';
import { isComplete, ObjectForm } from './ObjectForm';
import { useAttempt } from '../../ui/useAttempt';

interface Props {
  kind: Kind;
  object: KubeObject;
  onDone: () => void;
}

/** Changes the main fields of an object; what the form does not show stays as it is. */
export function EditForm({ kind, object, onDone }: Props) {
  const { t } = useTranslation();
  const fields = kind.form?.fields ?? [];
  const [base, setBase] = useState(object);
  const [manifest, setManifest] = useState<object>(object);
  const [round, setRound] = useState(0);
  const { busy, error, setError, attempt } = useAttempt();
  const { name, namespace } = object.metadata;
  const place = { name, ...(namespace !== undefined && { namespace }) };
  const mayUpdate = useMay({ verb: 'update', resource: kind.resource, ...place });
  const behind = base.metadata.resourceVersion !== object.metadata.resourceVersion;
  const renew = () => {
    setBase(object);
    setManifest(object);
    setError(undefined);
    setRound(round + 1);
  };
  const save = () =>
    attempt(async () => {
      const saved = await replaceObject(kind.resource, manifest as KubeObject);
      collectionOf(kind.resource, namespace).put(saved);
      toast({ tone: 'ok', title: t('common.saved', { name }) });
      onDone();
    });
  return (
    <form
      className="form-page"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void save();
      }}
    >
      {behind && (
        <Banner
          tone="warn"
          action={
            <Button size="small" onPress={renew}>
              {t('kinds.loadNewest')}
            </Button>
          }
        >
          {t('kinds.changedMeanwhile')}
        </Banner>
      )}
      <Card>
        <ObjectForm key={round} {...{ fields, manifest }} onChange={setManifest} exists />
      </Card>
      {error !== undefined && <Problem error={error} />}
      <footer className="form-foot">
        <Button onPress={onDone}>{t('common.cancel')}</Button>
        <MayButton
          look="primary"
          type="submit"
          answer={mayUpdate}
          isDisabled={!isComplete(fields, manifest) || manifest === base}
          busy={busy}
        >
          {t('common.save')}
        </MayButton>
      </footer>
    </form>
  );
}
