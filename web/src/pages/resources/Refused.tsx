import { Lock } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Empty } from '../../ui/Page';

/** What one may not see, why, and whom to ask. */
export function Refused({ what, why }: { what: string; why: string }) {
  const { t } = useTranslation();
  return (
    <Empty
      icon={<Lock aria-hidden />}
      title={t('kinds.refused', { what })}
      hint={[t('kinds.refusedHint'), why].filter(Boolean).join(' ')}
    />
  );
}
