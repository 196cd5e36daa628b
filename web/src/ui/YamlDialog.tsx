import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryOnce } from './useOnce';

import { ApiError } from '../api/errors';
import type { KubeObject } from '../api/objects';
import { replaceObject, type Resource } from '../api/resources';
import { Dialog, FormDialog } from './Dialog';
import { manifestOf } from './download';
import { YamlEditor } from './YamlEditor';
import { Loading } from './Page';
import { toast } from './toasts';

const yamlModule = () => import('yaml');

/** Reads one object; the mistakes are those of who wrote it. */
export async function parseObject(text: string): Promise<KubeObject> {
  const { parseDocument } = await yamlModule();
  const document = parseDocument(text);
  const [first] = document.errors;
  if (first) throw new ApiError(400, { message: first.message });
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== 'object' || value === null || !('metadata' in value)) {
    throw new ApiError(400, { message: 'metadata: Required value' });
  }
  return value as KubeObject;
}

interface Props {
  resource: Resource;
  object: KubeObject;
  title: ReactNode;
  open: boolean;
  onClose: () => void;
  /** Why it is shown and not edited; undefined: it is edited. */
  readOnly?: boolean;
}

/** One object as YAML, to look at or to edit. */
export function YamlDialog(props: Props) {
  return props.readOnly ? <YamlView {...props} /> : <YamlEdit {...props} />;
}

function useYaml(resource: Resource, object: KubeObject, open: boolean): string | undefined {
  return useQueryOnce(open, async () => {
    const { stringify } = await yamlModule();
    return stringify(manifestOf(resource, object));
  });
}

function YamlView({ resource, object, title, open, onClose }: Props) {
  const { t } = useTranslation();
  const text = useYaml(resource, object, open);
  return (
    <Dialog title={title} open={open} onClose={onClose} size="large">
      <div className="dialog-body dialog-editor">
        {text === undefined ? (
          <Loading label={t('common.loading')} />
        ) : (
          <YamlEditor
            value={text}
            label={t('common.yamlOf', { name: object.metadata.name })}
            readOnly
          />
        )}
      </div>
    </Dialog>
  );
}

function YamlEdit({ resource, object, title, open, onClose }: Props) {
  const { t } = useTranslation();
  const first = useYaml(resource, object, open);
  const [changed, setChanged] = useState<string>();
  const close = () => {
    setChanged(undefined);
    onClose();
  };
  return (
    <FormDialog
      title={title}
      open={open}
      onClose={close}
      size="large"
      submit={t('common.save')}
      ready={changed !== undefined && changed !== first}
      onSubmit={async () => {
        const next = await parseObject(changed ?? '');
        if (next.metadata.name !== object.metadata.name) {
          throw new ApiError(400, { message: t('common.nameStays') });
        }
        await replaceObject(resource, next);
        toast({ tone: 'ok', title: t('common.saved', { name: next.metadata.name }) });
      }}
    >
      <div className="dialog-editor">
        {first === undefined ? (
          <Loading label={t('common.loading')} />
        ) : (
          <YamlEditor
            value={changed ?? first}
            onChange={setChanged}
            label={t('common.yamlOf', { name: object.metadata.name })}
          />
        )}
      </div>
    </FormDialog>
  );
}
