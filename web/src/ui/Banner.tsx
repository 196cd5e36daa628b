import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { explain } from './explain';
import './banner.css';

export type BannerTone = 'info' | 'warn' | 'bad';

const icons = { info: Info, warn: TriangleAlert, bad: CircleAlert } as const;

export function Banner(props: {
  tone: BannerTone;
  title?: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  const { tone, title, children, action } = props;
  const Icon = icons[tone];
  return (
    <div className={`banner banner-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon aria-hidden />
      <div className="grow">
        {title !== undefined && <strong className="banner-title">{title}</strong>}
        <div>{children}</div>
      </div>
      {action}
    </div>
  );
}

/** What went wrong, what to do next, and the server's own words. */
export function Problem({ error, action }: { error: unknown; action?: ReactNode }) {
  const { t } = useTranslation();
  const { advice, details } = explain(error, t);
  return (
    <Banner tone="bad" title={t('common.errors.title')} action={action}>
      <p>{advice}</p>
      {details.map((each) => (
        <p key={each} className="banner-details">
          <bdi>{each}</bdi>
        </p>
      ))}
    </Banner>
  );
}
