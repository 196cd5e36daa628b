import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { hasCode } from '../../api/errors';
import { deleteObject, NAMESPACES } from '../../api/resources';
import { FormDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Fields';
import { toast } from '../../ui/toasts';
import type { NamespaceRow } from './rows';

type Row = Pick<NamespaceRow, 'namespace' | 'name' | 'state'>;

interface Props {
  rows: readonly Row[];
  open: boolean;
  onClose: () => void;
  onDone?: () => void;
}

/** How many are deleted at a time: the server should not notice a hundred. */
const AT_ONCE = 8;

/** Deletes namespaces, after what is typed shows that it is meant. */
export function DeleteNamespaces({ rows, open, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const count = rows.length;
  const name = rows[0]?.name ?? '';
  const wanted = count === 1 ? name : t('namespaces.deleteCount', { count });
  const close = () => {
    setTyped('');
    onClose();
  };
  const submit = async () => {
    const { refused, error } = await deleteAll(rows);
    if (refused.length < count) {
      toast({
        tone: 'ok',
        title: t('namespaces.deleted', { count: count - refused.length, name }),
      });
    }
    if (refused.length > 0 && refused.length < count) {
      toast({ tone: 'bad', title: t('namespaces.notDeleted', { names: refused.join(', ') }) });
    }
    if (refused.length === count) throw error;
    onDone?.();
  };
  return (
    <FormDialog
      title={<bdi>{t('namespaces.deleteTitle', { count, name })}</bdi>}
      open={open}
      onClose={close}
      submit={t('common.delete')}
      danger
      ready={typed === wanted}
      onSubmit={submit}
    >
      <p>{t('namespaces.deleteLead', { count })}</p>
      {count > 1 && (
        <ul className="delete-list">
          {rows.slice(0, 50).map((row) => (
            <li key={row.name}>
              <bdi>{row.name}</bdi>
            </li>
          ))}
          {count > 50 && <li className="muted">{t('common.more', { count: count - 50 })}</li>}
        </ul>
      )}
      <TextField
        label={t('namespaces.deleteConfirm', { text: wanted })}
        value={typed}
        onChange={setTyped}
        autoComplete="off"
        // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog has nothing before it
        autoFocus
      />
    </FormDialog>
  );
}

async function deleteAll(rows: readonly Row[]): Promise<{ refused: string[]; error: unknown }> {
  const left = [...rows];
  const refused: string[] = [];
  let first: unknown;
  const work = async () => {
    for (let row = left.shift(); row; row = left.shift()) {
      try {
        await deleteObject(NAMESPACES, row.namespace);
      } catch (problem) {
        // Gone already, or going: that is what was wanted.
        if (hasCode(problem, 404) || row.state === 'Terminating') continue;
        refused.push(row.name);
        first ??= problem;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { refused, error: first };
}
