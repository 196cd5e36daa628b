import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { createKubeconfig } from '../../api/tokens';
import { currentIdentity } from '../../api/session';
import { FormDialog } from '../../ui/Dialog';
import { download } from '../../ui/download';
import { toast } from '../../ui/toasts';
import { Lifetime, secondsOf, type Days } from './lifetimes';

interface Props {
  open: boolean;
  onClose: () => void;
  onDone: () => void;
}

/** Makes a kubeconfig with a key of its own, and saves it. */
export function KubeconfigDialog({ open, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const [days, setDays] = useState<Days>('30');
  const create = async () => {
    const content = await createKubeconfig({
      description: t('account.kubeconfigDescription'),
      ttlSeconds: secondsOf(days),
    });
    download(`llmos-${currentIdentity()?.username ?? ''}.kubeconfig`, content, 'application/yaml');
    toast({ tone: 'ok', title: t('account.kubeconfigSaved'), text: t('account.kubeconfigUse') });
    onDone();
  };
  return (
    <FormDialog
      title={t('account.kubeconfig')}
      open={open}
      onClose={onClose}
      submit={t('account.download')}
      onSubmit={create}
    >
      <p>{t('account.kubeconfigLead')}</p>
      <Lifetime days={days} onChange={setDays} />
    </FormDialog>
  );
}
