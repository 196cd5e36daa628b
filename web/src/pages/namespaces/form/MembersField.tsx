import { Plus, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { EDITOR, type Membership, type SubjectKind } from '../../../domain/members';
import { Button, IconButton } from '../../../ui/Button';
import { ComboBox } from '../../../ui/ComboBox';
import { Select } from '../../../ui/Select';
import { usePeople } from './people';
import { useRoleOptions } from './roleOptions';

export interface MemberDraft extends Membership {
  /** Which row it is; names change while they are typed. */
  key: number;
}

let last = 0;

export function newMember(): MemberDraft {
  last += 1;
  return { key: last, member: { kind: 'User', name: '' }, template: EDITOR };
}

/** Who is to be a member, and as what. */
export function MembersField(props: {
  members: readonly MemberDraft[];
  onChange: (members: readonly MemberDraft[]) => void;
}) {
  const { members, onChange } = props;
  const { t } = useTranslation();
  const put = (next: MemberDraft) =>
    onChange(members.map((each) => (each.key === next.key ? next : each)));
  return (
    <div className="stack">
      {members.length > 0 && (
        <ul className="stack">
          {members.map((each) => (
            <li key={each.key}>
              <MemberFields
                draft={each}
                onChange={put}
                onRemove={() => onChange(members.filter((other) => other.key !== each.key))}
              />
            </li>
          ))}
        </ul>
      )}
      <div>
        <Button icon={<Plus aria-hidden />} onPress={() => onChange([...members, newMember()])}>
          {t('namespaces.addMember')}
        </Button>
      </div>
    </div>
  );
}

export function MemberFields(props: {
  draft: MemberDraft;
  onChange: (draft: MemberDraft) => void;
  onRemove?: () => void;
}) {
  const { draft, onChange, onRemove } = props;
  const { t } = useTranslation();
  const people = usePeople();
  const roles = useRoleOptions();
  const { kind, name } = draft.member;
  return (
    <div className="member-fields">
      <div className="member-kind">
        <Select<SubjectKind>
          label={t('namespaces.memberKind')}
          labelHidden
          options={[
            { id: 'User', label: t('common.user') },
            { id: 'Group', label: t('common.group') },
          ]}
          selected={kind}
          onSelect={(next) => onChange({ ...draft, member: { kind: next, name: '' } })}
        />
      </div>
      <div className="member-who">
        <ComboBox
          label={kind === 'User' ? t('common.user') : t('common.group')}
          labelHidden
          placeholder={kind === 'User' ? t('namespaces.searchUser') : t('namespaces.searchGroup')}
          options={kind === 'User' ? people.users : people.groups}
          value={name}
          onChange={(next) => onChange({ ...draft, member: { kind, name: next } })}
        />
      </div>
      <div className="member-role">
        <Select
          label={t('common.role')}
          labelHidden
          options={roles}
          selected={draft.template}
          onSelect={(template) => onChange({ ...draft, template })}
        />
      </div>
      {onRemove && (
        <IconButton
          label={t('namespaces.removeRow', { name: name || t('namespaces.member') })}
          icon={<Trash2 aria-hidden />}
          onPress={onRemove}
        />
      )}
    </div>
  );
}
