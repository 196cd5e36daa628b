import { useTranslation } from 'react-i18next';

import { hasCode } from '../../api/errors';
import type { KubeObject } from '../../api/objects';
import { deleteObject, type Resource } from '../../api/resources';
import { FormDialog } from '../../ui/Dialog';
import { toast } from '../../ui/toasts';

interface Props {
  resource: Resource;
  objects: readonly KubeObject[];
  open: boolean;
  onClose: () => void;
  onDone?: () => void;
  /** What is lost with them, where it is more than they themselves. */
  lead?: string;
}

const AT_ONCE = 8;
const SHOWN = 50;

/** Asks once more, then deletes. */
export function DeleteObjects({ resource, objects, open, onClose, onDone, lead }: Props) {
  const { t } = useTranslation();
  const count = objects.length;
  const name = objects[0]?.metadata.name ?? '';
  const submit = async () => {
    const { refused, error } = await deleteAll(resource, objects);
    const done = count - refused.length;
    if (done > 0) toast({ tone: 'ok', title: t('kinds.deleted', { count: done, name }) });
    if (done > 0 && refused.length > 0) {
      toast({ tone: 'bad', title: t('kinds.notDeleted', { names: refused.join(', ') }) });
    }
    if (done === 0) throw error;
    onDone?.();
  };
  return (
    <FormDialog
      title={<bdi>{t('kinds.deleteTitle', { count, kind: resource.kind, name })}</bdi>}
      open={open}
      onClose={onClose}
      submit={t('common.delete')}
      danger
      onSubmit={submit}
    >
      <p>{lead ?? t('kinds.deleteLead', { count })}</p>
      {count > 1 && (
        <ul className="delete-list">
          {objects.slice(0, SHOWN).map(({ metadata }) => (
            <li key={`${metadata.namespace ?? ''}/${metadata.name}`}>
              {metadata.namespace !== undefined && (
                <span className="muted">
                  <bdi>{metadata.namespace}</bdi>/
                </span>
              )}
              <bdi>{metadata.name}</bdi>
            </li>
          ))}
          {count > SHOWN && <li className="muted">{t('common.more', { count: count - SHOWN })}</li>}
        </ul>
      )}
    </FormDialog>
  );
}

async function deleteAll(
  resource: Resource,
  objects: readonly KubeObject[],
): Promise<{ refused: string[]; error: unknown }> {
  const left = [...objects];
  const refused: string[] = [];
  let first: unknown;
  const work = async () => {
    for (let each = left.shift(); each; each = left.shift()) {
      try {
        await deleteObject(resource, each);
      } catch (problem) {
        // Gone already: that is what was wanted.
        if (hasCode(problem, 404)) continue;
        refused.push(each.metadata.name);
        first ??= problem;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { refused, error: first };
}
