import { FileDown, KeyRound, Plus } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { isAdmin } from '../../api/session';
import { listTokens, type Token } from '../../api/tokens';
import { useIdentity } from '../../app/useIdentity';
import { Tag } from '../../ui/Badge';
import { Problem } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Card, Empty, Loading, Page } from '../../ui/Page';
import { toast } from '../../ui/toasts';
import { PasswordForm } from '../signin/PasswordForm';
import { CreateKey } from './CreateKey';
import { Keys } from './Keys';
import { KubeconfigDialog } from './KubeconfigDialog';
import './account.css';

export function AccountPage() {
  const { t } = useTranslation();
  return (
    <Page title={t('account.title')} lead={t('account.lead')}>
      <div className="account">
        <KeysCard />
        <div className="stack">
          <Profile />
          <Card title={t('account.password')}>
            <PasswordForm onDone={() => toast({ tone: 'ok', title: t('signIn.changed') })} />
          </Card>
        </div>
      </div>
    </Page>
  );
}

function Profile() {
  const { t } = useTranslation();
  const identity = useIdentity();
  if (!identity) return null;
  const groups = identity.groups.filter((each) => !each.startsWith('system:'));
  return (
    <Card title={t('account.profile')}>
      <dl className="fact-list">
        <dt>{t('account.username')}</dt>
        <dd>
          <bdi>{identity.username}</bdi>
        </dd>
        <dt>{t('account.role')}</dt>
        <dd>{isAdmin(identity) ? t('account.administrator') : t('account.standardUser')}</dd>
        <dt>{t('account.groups')}</dt>
        <dd className="row-wrap">
          {groups.map((each) => (
            <Tag key={each}>
              <bdi>{each}</bdi>
            </Tag>
          ))}
        </dd>
        {identity.expiresAt !== undefined && (
          <>
            <dt>{t('account.session')}</dt>
            <dd>{new Date(identity.expiresAt).toLocaleString()}</dd>
          </>
        )}
      </dl>
    </Card>
  );
}

function KeysCard() {
  const { t } = useTranslation();
  const [tokens, setTokens] = useState<readonly Token[]>();
  const [error, setError] = useState<unknown>();
  const [open, setOpen] = useState<'key' | 'kubeconfig'>();
  const load = useCallback(async () => {
    try {
      setTokens(await listTokens());
      setError(undefined);
    } catch (problem) {
      setError(problem);
    }
  }, []);
  useEffect(() => {
    // eslint-disable-next-line react-hooks/set-state-in-effect -- it is set when the answer comes
    void load();
  }, [load]);
  const keys = tokens?.filter((each) => each.kind !== 'session');
  return (
    <Card
      title={t('account.keys')}
      actions={
        <div className="row-wrap">
          <Button icon={<FileDown aria-hidden />} onPress={() => setOpen('kubeconfig')}>
            {t('account.kubeconfig')}
          </Button>
          <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setOpen('key')}>
            {t('account.createKey')}
          </Button>
        </div>
      }
    >
      <p className="muted">{t('account.keysLead')}</p>
      {error !== undefined && (
        <Problem
          error={error}
          action={<Button onPress={() => void load()}>{t('common.retry')}</Button>}
        />
      )}
      {!keys ? (
        error === undefined && <Loading label={t('common.loading')} />
      ) : keys.length === 0 ? (
        <Empty
          icon={<KeyRound aria-hidden />}
          title={t('account.noKeys')}
          hint={t('account.noKeysHint')}
        />
      ) : (
        <Keys keys={keys} onChange={() => void load()} />
      )}
      <CreateKey
        open={open === 'key'}
        onClose={() => setOpen(undefined)}
        onDone={() => void load()}
      />
      <KubeconfigDialog
        open={open === 'kubeconfig'}
        onClose={() => setOpen(undefined)}
        onDone={() => void load()}
      />
    </Card>
  );
}
