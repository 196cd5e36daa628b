import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../../api/errors';
import { createToken } from '../../api/tokens';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { CopyField } from '../../ui/CopyField';
import { Dialog, FormDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Fields';
import { Lifetime, secondsOf, type Days } from './lifetimes';

interface Props {
  open: boolean;
  onClose: () => void;
  onDone: () => void;
}

/** Makes a key; it is shown once, and lives in this dialog alone. */
export function CreateKey({ open, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const [description, setDescription] = useState('');
  const [days, setDays] = useState<Days>('30');
  const [made, setMade] = useState<string>();
  const create = async () => {
    const token = await createToken({ description, ttlSeconds: secondsOf(days) });
    if (token.token === undefined) throw new ApiError(500, { message: 'no key came back' });
    setDescription('');
    setMade(token.token);
    onDone();
  };
  return (
    <>
      <FormDialog
        title={t('account.createKey')}
        open={open}
        onClose={onClose}
        submit={t('common.create')}
        ready={description.trim() !== ''}
        onSubmit={create}
      >
        <TextField
          label={t('common.description')}
          hint={t('account.descriptionHint')}
          maxLength={256}
          value={description}
          onChange={setDescription}
          // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog has nothing before it
          autoFocus
        />
        <Lifetime days={days} onChange={setDays} />
      </FormDialog>
      <Dialog
        title={t('account.yourKey')}
        open={made !== undefined}
        onClose={() => setMade(undefined)}
        once
      >
        <div className="dialog-body">
          <Banner tone="warn">{t('account.once')}</Banner>
          <CopyField label={t('account.key')} value={made ?? ''} />
        </div>
        <footer className="dialog-foot">
          <Button look="primary" onPress={() => setMade(undefined)}>
            {t('account.kept')}
          </Button>
        </footer>
      </Dialog>
    </>
  );
}
