import { Download, Eye, EyeOff, RotateCcw } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { collectionOf } from '../../api/collections';
import type { KubeObject } from '../../api/objects';
import { replaceObject } from '../../api/resources';
import type { Kind } from '../../kinds/kind';
import { editedFrom, masked, toYaml } from '../../kinds/manifest';
import { Banner } from '../../ui/Banner';
import { Button, MayButton } from '../../ui/Button';
import { downloadYaml } from '../../ui/download';
import { toast } from '../../ui/toasts';
import { YamlEditor } from '../../ui/YamlEditor';
import { ManifestProblem } from './ManifestProblem';
import { useAttempt } from '../../ui/useAttempt';

interface Draft {
  text: string;
  /** The version it was made of. */
  version: string | undefined;
}

/** The object as YAML: looked at, and edited by whoever may. */
export default function YamlContent({ kind, object }: { kind: Kind; object: KubeObject }) {
  const { t } = useTranslation();
  const { resource } = kind;
  const { name, namespace, resourceVersion } = object.metadata;
  const mayUpdate = useMay({
    verb: 'update',
    resource,
    name,
    ...(namespace !== undefined && { namespace }),
  });
  const secret = kind.hidden.length > 0;
  const [revealed, setRevealed] = useState(!secret);
  const [draft, setDraft] = useState<Draft>();
  const { busy, error, setError, attempt } = useAttempt();
  const live = useMemo(
    () => toYaml(resource, revealed ? object : masked(object, kind.hidden)),
    [resource, object, revealed, kind.hidden],
  );
  const behind = draft !== undefined && draft.version !== resourceVersion;
  const discard = () => {
    setDraft(undefined);
    setError(undefined);
  };
  const save = () =>
    attempt(async () => {
      if (!draft) return;
      const edited = editedFrom(resource, object, draft.text, draft.version);
      const saved = await replaceObject(resource, edited);
      collectionOf(resource, namespace).put(saved);
      setDraft(undefined);
      toast({ tone: 'ok', title: t('common.saved', { name }) });
    });
  return (
    <div className="page-yaml">
      {behind && (
        <Banner
          tone="warn"
          action={
            <Button size="small" onPress={discard}>
              {t('kinds.loadNewest')}
            </Button>
          }
        >
          {t('kinds.changedMeanwhile')}
        </Banner>
      )}
      {error !== undefined && <ManifestProblem error={error} />}
      <div className="editor-box">
        <YamlEditor
          label={t('common.yamlOf', { name })}
          value={draft?.text ?? live}
          readOnly={!revealed || mayUpdate.allowed !== true}
          onChange={(text) => {
            if (text === live) setDraft(undefined);
            else setDraft({ text, version: draft?.version ?? resourceVersion });
          }}
        />
      </div>
      <div className="form-actions">
        <MayButton
          look="primary"
          answer={mayUpdate}
          isDisabled={!draft}
          busy={busy}
          onPress={() => void save()}
        >
          {t('common.save')}
        </MayButton>
        <Button icon={<RotateCcw aria-hidden />} isDisabled={!draft} onPress={discard}>
          {t('kinds.discard')}
        </Button>
        <span className="grow" />
        {secret && (
          <Button
            icon={revealed ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
            isDisabled={draft !== undefined}
            onPress={() => setRevealed(!revealed)}
          >
            {revealed ? t('kinds.hideValues') : t('kinds.showValues')}
          </Button>
        )}
        <Button
          icon={<Download aria-hidden />}
          onPress={() => void downloadYaml(resource, [object])}
        >
          {t('common.downloadYaml')}
        </Button>
      </div>
    </div>
  );
}
