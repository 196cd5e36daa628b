import type { TFunction } from 'i18next';
import { Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { hasCode } from '../../api/errors';
import { revokeToken, type Token } from '../../api/tokens';
import { Age } from '../../ui/Age';
import { UserText } from '../../ui/Badge';
import { IconButton } from '../../ui/Button';
import { FormDialog } from '../../ui/Dialog';
import { Table, type Column } from '../../ui/Table';
import { toast } from '../../ui/toasts';
import { useRows, type Sort } from '../../ui/useRows';

const newest: Sort = { column: 'created', descending: false };
const nameOf = (token: Token) => token.name;
const kindOf = (token: Token, t: TFunction) =>
  token.kind === 'kubeconfig' ? t('account.kubeconfig') : t('account.api');

export function Keys({ keys, onChange }: { keys: readonly Token[]; onChange: () => void }) {
  const { t } = useTranslation();
  const [sort, setSort] = useState(newest);
  const [revoked, setRevoked] = useState<Token>();
  const columns = useMemo(
    (): Column<Token>[] => [
      {
        id: 'description',
        header: t('common.description'),
        sortBy: (token) => token.description,
        cell: (token) => <UserText>{token.description || token.name}</UserText>,
        below: (token) => kindOf(token, t),
      },
      {
        id: 'kind',
        header: t('account.kind'),
        width: '110px',
        from: 'medium',
        sortBy: (token) => token.kind,
        cell: (token) => kindOf(token, t),
      },
      {
        id: 'created',
        header: t('account.created'),
        width: '104px',
        from: 'medium',
        sortBy: (token) => -Date.parse(token.createdAt),
        cell: (token) => <Age of={token.createdAt} />,
      },
      {
        id: 'expires',
        header: t('account.expires'),
        width: '110px',
        sortBy: (token) => Date.parse(token.expiresAt),
        cell: (token) => (
          <time dateTime={token.expiresAt} className="numeric">
            {new Date(token.expiresAt).toLocaleDateString()}
          </time>
        ),
      },
    ],
    [t],
  );
  const rows = useRows(keys, columns, sort, '');
  const said = revoked?.description ?? '';
  const name = said === '' ? (revoked?.name ?? '') : said;
  return (
    <>
      <Table
        label={t('account.keys')}
        rows={rows}
        columns={columns}
        rowId={nameOf}
        rowName={nameOf}
        sort={sort}
        onSort={setSort}
        menu={(token) => (
          <IconButton
            size="small"
            label={t('account.revokeOf', { name: token.description || token.name })}
            icon={<Trash2 aria-hidden />}
            onPress={() => setRevoked(token)}
          />
        )}
      />
      <FormDialog
        title={<bdi>{t('account.revokeTitle', { name })}</bdi>}
        open={revoked !== undefined}
        onClose={() => setRevoked(undefined)}
        submit={t('account.revoke')}
        danger
        onSubmit={async () => {
          if (!revoked) return;
          try {
            await revokeToken(revoked.name);
          } catch (problem) {
            // It has ended already: that is what was wanted.
            if (!hasCode(problem, 404)) throw problem;
          }
          toast({ tone: 'ok', title: t('account.revoked', { name }) });
          onChange();
        }}
      >
        <p>{t('account.revokeLead')}</p>
      </FormDialog>
    </>
  );
}
