import { useTranslation } from 'react-i18next';

import { Select, type Option } from '../../ui/Select';

export type Days = '1' | '7' | '30' | '90';
const DAY = 86_400;

export const secondsOf = (days: Days): number => Number(days) * DAY;

/** How long a key lives. None lives for ever. */
export function Lifetime({ days, onChange }: { days: Days; onChange: (days: Days) => void }) {
  const { t } = useTranslation();
  const options = (['1', '7', '30', '90'] as const).map((id): Option<Days> => ({
    id,
    label: t('account.days', { count: Number(id) }),
  }));
  return (
    <Select label={t('account.lifetime')} options={options} selected={days} onSelect={onChange} />
  );
}
