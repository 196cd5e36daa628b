import { Plus, Trash2, UserRound, Users as UsersIcon } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { forgetAnswers, useMay, type Answer } from '../../../api/access';
import { NAMESPACES } from '../../../api/resources';
import {
  addMember,
  granterOf,
  removeMember,
  setRole,
  settled,
  whyNotInForce,
} from '../../../domain/members';
import { mainBinding, mainRole, type MemberOf } from '../../../domain/memberRows';
import { isReserved } from '../../../domain/namespaces';
import { useRoleNames } from '../../../domain/roles';
import { Tag } from '../../../ui/Badge';
import { IconButton, MayButton } from '../../../ui/Button';
import { FormDialog } from '../../../ui/Dialog';
import { explain } from '../../../ui/explain';
import { FilteredTable } from '../../../ui/FilteredTable';
import { Empty } from '../../../ui/Page';
import { Select } from '../../../ui/Select';
import type { Column } from '../../../ui/Table';
import { toast } from '../../../ui/toasts';
import type { Sort } from '../../../ui/useRows';
import { MemberFields, newMember } from '../form/MembersField';
import { usePeople } from '../form/people';
import { Granter } from './Granter';
import { useRoleOptions } from '../form/roleOptions';
import '../form/form.css';

const byName: Sort = { column: 'name', descending: false };
const idOf = (member: MemberOf) => member.key;
const nameOf = (member: MemberOf) => member.subject.name;
const grantedBy = (member: MemberOf) => {
  const binding = mainBinding(member);
  return binding === undefined ? '' : granterOf(binding);
};

interface Props {
  namespace: string;
  members: readonly MemberOf[];
}

/** Who may do what here; whoever manages members does it in place. */
export function Members({ namespace, members }: Props) {
  const { t } = useTranslation();
  const asked = useMay({
    verb: 'update',
    resource: NAMESPACES,
    subresource: 'members',
    namespace,
    name: namespace,
  });
  const may: Answer = isReserved(namespace)
    ? { allowed: false, reason: t('namespaces.deleteReserved') }
    : asked;
  const [adding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<MemberOf>();
  const columns = useColumns(namespace, may.allowed === true);
  const manage =
    may.allowed === true ? { menu: removal(setRemoved, t('namespaces.removeMember')) } : {};
  return (
    <>
      <FilteredTable
        by={byName}
        tools={
          <MayButton
            answer={may}
            look="primary"
            icon={<Plus aria-hidden />}
            onPress={() => setAdding(true)}
          >
            {t('namespaces.addMember')}
          </MayButton>
        }
        label={t('namespaces.members')}
        rows={members}
        columns={columns}
        rowId={idOf}
        rowName={nameOf}
        {...manage}
        empty={
          <Empty
            icon={<UsersIcon aria-hidden />}
            title={t('namespaces.noMembers')}
            hint={t('namespaces.noMembersHint')}
          />
        }
      />
      <AddMember namespace={namespace} open={adding} onClose={() => setAdding(false)} />
      <FormDialog
        title={<bdi>{t('namespaces.removeTitle', { name: removed?.subject.name ?? '' })}</bdi>}
        open={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        submit={t('common.remove')}
        danger
        onSubmit={async () => {
          if (!removed) return;
          await removeMember(namespace, removed.subject);
          forgetAnswers();
          toast({
            tone: 'ok',
            title: t('namespaces.removedMember', { name: removed.subject.name, namespace }),
          });
        }}
      >
        <p>{t('namespaces.removeLead')}</p>
      </FormDialog>
    </>
  );
}

function removal(remove: (member: MemberOf) => void, label: string) {
  return (member: MemberOf) => (
    <IconButton
      size="small"
      label={`${label}: ${member.subject.name}`}
      icon={<Trash2 aria-hidden />}
      onPress={() => remove(member)}
    />
  );
}

function useColumns(namespace: string, manage: boolean): Column<MemberOf>[] {
  const { t } = useTranslation();
  const roleName = useRoleNames();
  const { users } = usePeople();
  const known = useMemo(() => new Map(users.map((each) => [each.id, each.note])), [users]);
  return useMemo(
    () => [
      {
        id: 'name',
        header: t('common.name'),
        below: (member) => (
          <bdi>
            {t('namespaces.byName', { name: grantedBy(member) || t('namespaces.thePlatform') })}
          </bdi>
        ),
        sortBy: nameOf,
        text: nameOf,
        cell: ({ subject }) => (
          <span className="member-name">
            {subject.kind === 'Group' ? (
              <UsersIcon aria-label={t('common.group')} />
            ) : (
              <UserRound aria-label={t('common.user')} />
            )}
            <bdi className="truncate">{subject.name}</bdi>
            {subject.kind === 'User' && known.has(subject.name) && (
              <bdi className="truncate muted">{known.get(subject.name)}</bdi>
            )}
          </span>
        ),
      },
      {
        id: 'role',
        header: t('common.role'),
        width: '170px',
        sortBy: (member) => roleName(mainRole(member)),
        text: (member) => roleName(mainRole(member)),
        cell: (member) =>
          manage ? (
            <RoleSelect namespace={namespace} member={member} />
          ) : (
            <span>
              {member.bindings.map((each) => roleName(each.roleTemplateRef.name)).join(', ')}
            </span>
          ),
      },
      {
        id: 'status',
        header: t('common.state'),
        width: '130px',
        from: 'medium',
        cell: (member) => <Status member={member} />,
      },
      {
        id: 'granter',
        header: t('namespaces.grantedBy'),
        width: '150px',
        from: 'medium',
        sortBy: grantedBy,
        text: (member) => grantedBy(member) || t('namespaces.thePlatform'),
        cell: (member) => <Granter binding={mainBinding(member)} />,
      },
    ],
    [t, roleName, known, namespace, manage],
  );
}

function Status({ member }: { member: MemberOf }) {
  const { t } = useTranslation();
  const roleName = useRoleNames();
  const problem = member.bindings.find((each) => whyNotInForce(each) !== '');
  const [ends] = member.bindings.flatMap((each) => (each.expiresAt ? [each.expiresAt] : []));
  if (problem) {
    const condition = problem.status?.conditions?.find((each) => each.type === 'InForce');
    return (
      <span title={condition?.message}>
        <Tag tone="warn">{whyNotInForce(problem)}</Tag>
      </span>
    );
  }
  const more = member.bindings.filter((each) => each.roleTemplateRef.name !== mainRole(member));
  return (
    <span className="row-wrap">
      {ends === undefined ? (
        <Tag tone="ok">{t('namespaces.inForce')}</Tag>
      ) : (
        <Tag>{t('namespaces.until', { when: new Date(ends).toLocaleDateString() })}</Tag>
      )}
      {more.map((each) => (
        <Tag key={each.metadata.name}>+ {roleName(each.roleTemplateRef.name)}</Tag>
      ))}
    </span>
  );
}

function RoleSelect({ namespace, member }: { namespace: string; member: MemberOf }) {
  const { t } = useTranslation();
  const roles = useRoleOptions();
  const roleName = useRoleNames();
  const [wanted, setWanted] = useState<string>();
  const current = mainRole(member);
  const options = roles.some((each) => each.id === current)
    ? roles
    : [...roles, { id: current, label: roleName(current) }];
  const change = async (template: string) => {
    setWanted(template);
    try {
      await setRole(namespace, { member: member.subject, template });
      forgetAnswers();
      toast({
        tone: 'ok',
        title: t('namespaces.roleChanged', {
          name: member.subject.name,
          role: roleName(template),
        }),
      });
    } catch (error) {
      const { advice, details } = explain(error, t);
      toast({
        tone: 'bad',
        title: t('namespaces.roleNotChanged', { name: member.subject.name }),
        text: [advice, ...details].filter(Boolean).join(' '),
      });
    } finally {
      setWanted(undefined);
    }
  };
  return (
    <Select
      label={t('namespaces.roleOf', { name: member.subject.name })}
      labelHidden
      options={options}
      selected={wanted ?? current}
      isDisabled={wanted !== undefined}
      onSelect={(template) => {
        if (template !== current) void change(template);
      }}
    />
  );
}

function AddMember(props: { namespace: string; open: boolean; onClose: () => void }) {
  const { namespace, open, onClose } = props;
  const { t } = useTranslation();
  const [draft, setDraft] = useState(newMember);
  const close = () => {
    setDraft(newMember());
    onClose();
  };
  return (
    <FormDialog
      title={t('namespaces.addMember')}
      open={open}
      onClose={close}
      size="large"
      submit={t('common.add')}
      ready={draft.member.name !== ''}
      onSubmit={async () => {
        const binding = await settled(await addMember(namespace, draft));
        const why = whyNotInForce(binding);
        toast(
          why === ''
            ? {
                tone: 'ok',
                title: t('namespaces.addedMember', { name: draft.member.name, namespace }),
              }
            : { tone: 'warn', title: t('namespaces.notInForceYet', { count: 1 }), text: why },
        );
      }}
    >
      <p>{t('namespaces.membersLead')}</p>
      <MemberFields draft={draft} onChange={setDraft} />
    </FormDialog>
  );
}
