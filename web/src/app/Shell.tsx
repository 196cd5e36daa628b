import { Outlet, useNavigate } from '@tanstack/react-router';
import { KeyRound, LogOut, Menu as MenuIcon, UserRound, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Dialog, Modal, ModalOverlay } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { forgetAnswers } from '../api/access';
import { signedOut, warnings } from '../api/client';
import { refusals } from '../api/collection';
import { collectionOf, hurryCollections, useCollection } from '../api/collections';
import { NAMESPACES, ROLE_TEMPLATE_BINDINGS } from '../api/resources';
import { checkIdentity, forget, onEndElsewhere, signOut } from '../api/session';
import { NOT_FOR_PRODUCTION } from '../domain/namespaces';
import { chooseLanguage, currentLanguage, LANGUAGES, type Language } from '../i18n';
import { Banner } from '../ui/Banner';
import { Button, IconButton } from '../ui/Button';
import { ChoiceMenu } from '../ui/Menu';
import { toast } from '../ui/toasts';
import { Toasts } from '../ui/Toasts';
import { useChosenNamespaces } from './chosen';
import { Logo } from './Logo';
import { NamespaceSwitcher } from './NamespaceSwitcher';
import { Sidebar } from './Sidebar';
import { chooseTheme, chosenTheme, type Theme } from './theme';
import { useIdentity } from './useIdentity';
import './shell.css';

const CHECK_MS = 1_000;
const RIGHTS_MS = 500;
/** So long after a change of memberships rights are as they say, and a bit. */
const SETTLED_MS = 2500;

export function Shell() {
  const { t } = useTranslation();
  useSessionEnd();
  useNews();
  useRights();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t('shell.skipToContent')}
      </a>
      <Header />
      <aside className="sidebar">
        <Sidebar />
      </aside>
      <main id="content" className="content" tabIndex={-1}>
        <Notices />
        <div className="content-page">
          <Outlet />
        </div>
      </main>
      <Toasts />
    </div>
  );
}

/** Leaves for the sign-in page as soon as the session has ended, wherever that is noticed. */
function useSessionEnd(): void {
  const navigate = useNavigate();
  useEffect(
    () =>
      signedOut.subscribe(() => {
        forget();
        const next = window.location.pathname.replace(/^\/ui/, '') + window.location.search;
        void navigate({ to: '/signin', search: { next } });
      }),
    [navigate],
  );
}

/**
 * Asks anew what one may when memberships change: what is shown follows without being touched.
 * Rights follow a membership within two seconds, so it asks once more then.
 */
function useRights(): void {
  useEffect(() => {
    let soon: ReturnType<typeof setTimeout> | undefined;
    let settled: ReturnType<typeof setTimeout> | undefined;
    const stop = collectionOf(ROLE_TEMPLATE_BINDINGS).subscribe(() => {
      soon ??= setTimeout(() => {
        soon = undefined;
        forgetAnswers();
      }, RIGHTS_MS);
      clearTimeout(settled);
      settled = setTimeout(forgetAnswers, SETTLED_MS);
    });
    return () => {
      clearTimeout(soon);
      clearTimeout(settled);
      stop();
    };
  }, []);
}

/** Shows what the API warns of; makes up for what was missed while nobody looked. */
function useNews(): void {
  const { t } = useTranslation();
  useEffect(
    () => warnings.subscribe((text) => toast({ tone: 'warn', title: t('shell.warning'), text })),
    [t],
  );
  useEffect(() => {
    const look = () => {
      if (document.visibilityState !== 'visible') return;
      hurryCollections();
      forgetAnswers();
      checkIdentity().catch(() => undefined);
    };
    let checked = 0;
    const check = () => {
      // A dozen lists are refused at once when a session ends.
      if (performance.now() - checked < CHECK_MS) return;
      checked = performance.now();
      forgetAnswers();
      checkIdentity().catch(() => undefined);
    };
    const stops = [
      refusals.subscribe(check),
      onEndElsewhere(() => void checkIdentity().catch(() => undefined)),
    ];
    document.addEventListener('visibilitychange', look);
    window.addEventListener('online', look);
    return () => {
      for (const stop of stops) stop();
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('online', look);
    };
  }, []);
}

function Header() {
  const { t } = useTranslation();
  return (
    <header className="header">
      <Drawer />
      <Logo />
      <NamespaceSwitcher />
      <span className="grow" />
      <UserMenu label={t('shell.userMenu')} />
    </header>
  );
}

/** The sidebar of a narrow page. */
function Drawer() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <div className="drawer-button">
      <IconButton
        label={t('shell.openMenu')}
        icon={<MenuIcon aria-hidden />}
        onPress={() => setOpen(true)}
      />
      <ModalOverlay
        className="scrim drawer-scrim"
        isOpen={open}
        onOpenChange={setOpen}
        isDismissable
      >
        <Modal className="drawer">
          <Dialog className="dialog" aria-label={t('shell.mainNavigation')}>
            <div className="drawer-head">
              <Logo />
              <IconButton
                label={t('shell.closeMenu')}
                icon={<X aria-hidden />}
                onPress={() => setOpen(false)}
              />
            </div>
            <Sidebar onNavigate={() => setOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </div>
  );
}

function UserMenu({ label }: { label: string }) {
  const { t } = useTranslation();
  const identity = useIdentity();
  const navigate = useNavigate();
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const name = identity?.username ?? '';
  return (
    <ChoiceMenu
      label={label}
      trigger={
        <Button look="quiet" aria-label={`${label}: ${name}`} icon={<UserRound aria-hidden />}>
          <bdi className="truncate user-name">{name}</bdi>
        </Button>
      }
      head={
        <div className="menu-head">
          <bdi>{t('shell.signedInAs', { name })}</bdi>
        </div>
      }
      actions={[
        {
          id: 'account',
          label: t('shell.account'),
          icon: <KeyRound aria-hidden />,
          onAction: () => void navigate({ to: '/account' }),
        },
        {
          id: 'sign-out',
          label: t('shell.signOut'),
          icon: <LogOut aria-hidden />,
          onAction: () => void signOut(),
        },
      ]}
      sections={[
        {
          title: t('shell.theme'),
          selected: theme,
          choices: [
            { id: 'system', label: t('shell.themeSystem') },
            { id: 'light', label: t('shell.themeLight') },
            { id: 'dark', label: t('shell.themeDark') },
          ],
          onChoose: (id) => {
            chooseTheme(id as Theme);
            setTheme(id as Theme);
          },
        },
        {
          title: t('shell.language'),
          selected: currentLanguage(),
          choices: Object.entries(LANGUAGES).map(([id, text]) => ({ id, label: text })),
          onChoose: (id) => void chooseLanguage(id as Language),
        },
      ]}
    />
  );
}

/** What holds for the whole page: a lost connection, a place that is not for production. */
function Notices() {
  const { t } = useTranslation();
  const { freshness } = useCollection(NAMESPACES);
  const { names } = useChosenNamespaces();
  const [only] = names;
  const bare = names.length === 1 && only !== undefined && NOT_FOR_PRODUCTION.has(only);
  if (freshness !== 'stale' && !bare) return null;
  return (
    <div className="notices">
      {freshness === 'stale' && <Banner tone="warn">{t('shell.reconnecting')}</Banner>}
      {bare && <Banner tone="warn">{t('shell.notForProduction', { name: only })}</Banner>}
    </div>
  );
}
