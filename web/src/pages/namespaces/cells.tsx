import { Users } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import type { MemberRow } from '../../domain/members';
import { waitsFor, type NamespaceState } from '../../domain/namespaces';
import { Meter, State, Tag, type Tone } from '../../ui/Badge';
import { useQuotaWords } from './quotaWords';
import type { NamespaceRow } from './rows';

export const stateTones: Record<NamespaceState, Tone> = {
  Active: 'ok',
  Terminating: 'warn',
  Unknown: 'neutral',
};

export function StateCell({ row }: { row: NamespaceRow }) {
  const { t } = useTranslation();
  const waits = waitsFor(row.namespace).join('; ');
  return (
    <span
      title={
        row.state === 'Terminating' && waits
          ? t('namespaces.waiting', { reason: waits })
          : undefined
      }
    >
      <State tone={stateTones[row.state]}>{t(`namespaces.${row.state}`)}</State>
    </span>
  );
}

const SHOWN = 2;

export function MembersCell({
  members,
  roleName,
}: {
  members: readonly MemberRow[];
  roleName: (template: string) => string;
}) {
  const { t } = useTranslation();
  if (members.length === 0) return <span className="muted">{t('namespaces.noMembers')}</span>;
  const all = members
    .map((each) => `${each.subject.name} (${roleName(each.binding.roleTemplateRef.name)})`)
    .join('\n');
  const more = members.length - SHOWN;
  return (
    <span className="row members-cell" title={all}>
      {members.slice(0, SHOWN).map(({ binding, subject }) => (
        <Tag key={`${binding.metadata.name} ${subject.kind} ${subject.name}`}>
          {subject.kind === 'Group' && <Users aria-label={t('common.group')} />}
          <bdi className="truncate">{subject.name}</bdi>
        </Tag>
      ))}
      {more > 0 && <span className="muted">{t('common.more', { count: more })}</span>}
    </span>
  );
}

export function ContentsCell({ row }: { row: NamespaceRow }) {
  const { t } = useTranslation();
  const parts = [
    ...(row.notebooks > 0 ? [t('namespaces.notebooks', { count: row.notebooks })] : []),
    ...(row.models > 0 ? [t('namespaces.models', { count: row.models })] : []),
  ];
  if (parts.length === 0) return <span className="muted">{t('namespaces.empty')}</span>;
  return <span className="numeric">{parts.join(' · ')}</span>;
}

export function QuotaCell({ row }: { row: NamespaceRow }) {
  const { t } = useTranslation();
  const words = useQuotaWords();
  if (!row.use) return <span className="muted">{t('namespaces.noQuota')}</span>;
  const text = (use: NonNullable<NamespaceRow['use']>) =>
    t('namespaces.quotaOf', { used: use.used, hard: use.hard, resource: words(use.resource) });
  return (
    <div title={row.uses.map(text).join('\n')}>
      <Meter share={row.use.share} label={text(row.use)} />
    </div>
  );
}
