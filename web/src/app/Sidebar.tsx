import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { NAVIGATION } from './navigation';

export function Sidebar({ onNavigate }: { onNavigate?: () => void }) {
  const { t } = useTranslation();
  return (
    <nav className="sidebar-nav" aria-label={t('shell.mainNavigation')}>
      {NAVIGATION.map((group) => (
        <section key={group.label} aria-label={t(group.label)}>
          <p className="sidebar-title" aria-hidden>
            {t(group.label)}
          </p>
          <ul>
            {group.items.map(({ link, label, icon: Icon }) => (
              <li key={label}>
                <Link
                  {...link}
                  className="sidebar-link"
                  activeProps={{ 'aria-current': 'page' }}
                  onClick={() => onNavigate?.()}
                >
                  <Icon aria-hidden />
                  {t(label)}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
