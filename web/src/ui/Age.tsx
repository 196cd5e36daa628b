import { currentLanguage } from '../i18n';
import { ageOf, useNow } from './time';

/** How old something is; the exact time stands in its title. */
export function Age({ of }: { of: string | undefined }) {
  const now = useNow();
  if (of === undefined || Number.isNaN(Date.parse(of))) return <span className="muted">–</span>;
  const exact = new Date(of).toLocaleString(currentLanguage() === 'zh' ? 'zh-CN' : 'en');
  return (
    <time dateTime={of} title={exact} className="numeric">
      {ageOf(of, now)}
    </time>
  );
}
