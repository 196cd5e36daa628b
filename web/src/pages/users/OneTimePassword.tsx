import { useTranslation } from 'react-i18next';

import { CopyField } from '../../ui/CopyField';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';

interface Props {
  user: string;
  /** undefined: there is none to show. */
  password: string | undefined;
  onClose: () => void;
}

/** Shows a one-time password once; the server keeps no way to read it again. */
export function OneTimePassword({ user, password, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={<bdi>{t('users.oneTimeTitle', { name: user })}</bdi>}
      open={password !== undefined}
      onClose={onClose}
      once
    >
      <div className="dialog-body">
        <p>{t('users.oneTimeLead')}</p>
        <CopyField label={t('users.oneTime')} value={password ?? ''} />
      </div>
      <footer className="dialog-foot">
        <Button look="primary" onPress={onClose}>
          {t('users.oneTimeDone')}
        </Button>
      </footer>
    </Dialog>
  );
}
