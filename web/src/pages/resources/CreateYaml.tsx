import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Resource } from '../../api/resources';
import { fromYaml, toYaml } from '../../kinds/manifest';
import { Button } from '../../ui/Button';
import { YamlEditor } from '../../ui/YamlEditor';
import { ManifestProblem } from './ManifestProblem';
import { useAttempt } from '../../ui/useAttempt';

interface Props {
  resource: Resource;
  manifest: object;
  onCreate: (manifest: object) => Promise<void>;
  onCancel: () => void;
  /** Back to the form, with what is written here; without it there is none. */
  onForm?: (manifest: object) => void;
}

/** A new object as YAML. */
export default function CreateYaml({ resource, manifest, onCreate, onCancel, onForm }: Props) {
  const { t } = useTranslation();
  const [first] = useState(() => toYaml(resource, manifest));
  const [text, setText] = useState(first);
  const { busy, error, setError, attempt } = useAttempt();
  const create = () =>
    attempt(async () => {
      await onCreate(fromYaml(resource, text));
    });
  const toForm = () => {
    try {
      onForm?.(fromYaml(resource, text));
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <div className="page-yaml">
      <div className="editor-box">
        <YamlEditor label={t('kinds.newYaml')} value={first} onChange={setText} />
      </div>
      {error !== undefined && <ManifestProblem error={error} />}
      <div className="form-actions">
        <Button look="primary" busy={busy} onPress={() => void create()}>
          {t('common.create')}
        </Button>
        <Button onPress={onCancel}>{t('common.cancel')}</Button>
        <span className="grow" />
        {onForm && <Button onPress={toForm}>{t('kinds.asForm')}</Button>}
      </div>
    </div>
  );
}
