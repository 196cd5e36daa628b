import { UserRound, Users as UsersIcon } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../../../api/collections';
import { ROLE_TEMPLATES, USERS } from '../../../api/resources';
import {
  BUILTIN_TEMPLATES,
  rowsOf,
  whyNotInForce,
  type RoleTemplateBinding,
} from '../../../domain/members';
import { useRoleNames, type PolicyRule, type RoleTemplate } from '../../../domain/roles';
import { byGroup, wordsOf } from '../../../domain/ruleWords';
import { useDescription } from '../../../i18n/platform';
import { Tag } from '../../../ui/Badge';
import { Banner } from '../../../ui/Banner';
import { Card, Empty } from '../../../ui/Page';
import type { User } from '../form/people';
import { Granter } from './Granter';

/** Who has which role here and how he comes by it, and what each role allows. */
export function Access({ bindings }: { bindings: readonly RoleTemplateBinding[] }) {
  const { t } = useTranslation();
  const byTemplate = useMemo(() => {
    const inForce = bindings.filter((each) => whyNotInForce(each) === '');
    const rank = (template: string) => {
      const found = BUILTIN_TEMPLATES.indexOf(template);
      return found < 0 ? BUILTIN_TEMPLATES.length : found;
    };
    return [...Map.groupBy(inForce, (each) => each.roleTemplateRef.name)].sort(
      ([one], [other]) => rank(one) - rank(other) || (one < other ? -1 : 1),
    );
  }, [bindings]);
  return (
    <div className="access">
      <Banner tone="info">{t('namespaces.accessLead')}</Banner>
      {byTemplate.length === 0 && (
        <Empty title={t('namespaces.noMembers')} hint={t('namespaces.noMembersHint')} />
      )}
      {byTemplate.map(([template, list]) => (
        <RoleCard key={template} template={template} bindings={list} />
      ))}
    </div>
  );
}

function RoleCard(props: { template: string; bindings: readonly RoleTemplateBinding[] }) {
  const { template, bindings } = props;
  const { t } = useTranslation();
  const roleName = useRoleNames();
  const { byKey } = useCollection<RoleTemplate>(ROLE_TEMPLATES);
  const role = byKey.get(template);
  const rules = role?.rules ?? [];
  const descriptionOf = useDescription();
  const description = role ? descriptionOf(role) : '';
  return (
    <Card title={roleName(template)}>
      {description !== '' && (
        <p className="form-lead">
          <bdi>{description}</bdi>
        </p>
      )}
      <Holders bindings={bindings} />
      <RuleWords rules={rules} />
      <details className="rules">
        <summary>{t('namespaces.asRules')}</summary>
        <Rules rules={rules} />
      </details>
    </Card>
  );
}

function Holders({ bindings }: { bindings: readonly RoleTemplateBinding[] }) {
  const { t } = useTranslation();
  const users = useCollection<User>(USERS);
  const subjects = rowsOf(bindings);
  return (
    <ul className="holders">
      {subjects.map(({ binding, subject }) => {
        const within =
          subject.kind === 'Group'
            ? users.items.filter((each) => each.spec?.groups?.includes(subject.name))
            : [];
        return (
          <li key={`${binding.metadata.name} ${subject.kind} ${subject.name}`} className="row-wrap">
            <Tag tone="accent">
              {subject.kind === 'Group' ? (
                <UsersIcon aria-label={t('common.group')} />
              ) : (
                <UserRound aria-label={t('common.user')} />
              )}
              <bdi className="truncate">{subject.name}</bdi>
            </Tag>
            <span className="muted">
              {subject.kind === 'Group' ? t('namespaces.throughGroup') : t('namespaces.directly')}
            </span>
            {within.map((each) => (
              <Tag key={each.metadata.name}>
                <bdi className="truncate">{each.metadata.name}</bdi>
              </Tag>
            ))}
            <span className="row-wrap muted">
              · {t('namespaces.grantedByInText')}
              <Granter binding={binding} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export function RuleWords({ rules }: { rules: readonly PolicyRule[] }) {
  const { t } = useTranslation();
  const words = useMemo(() => wordsOf(rules), [rules]);
  if (words.length === 0) return <p className="muted">{t('namespaces.mayNothing')}</p>;
  return (
    <dl className="rule-words">
      {words.map(({ deed, resources }) => (
        <div key={deed}>
          <dt>{t(`namespaces.deeds.${deed}`)}</dt>
          <dd className="rule-groups">
            {byGroup(resources).map(([group, names]) => (
              <p key={group}>
                <span className="muted">{group || t('namespaces.coreGroup')}: </span>
                {names.map((each) => (each === '*' ? t('namespaces.allOf') : each)).join(', ')}
              </p>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Rules({ rules }: { rules: readonly PolicyRule[] }) {
  const { t } = useTranslation();
  return (
    // It scrolls sideways, so it has to be reached by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="rules-box" tabIndex={0} role="group" aria-label={t('namespaces.asRules')}>
      <table className="rules-table">
        <thead>
          <tr>
            <th scope="col">{t('namespaces.apiGroups')}</th>
            <th scope="col">{t('namespaces.resources')}</th>
            <th scope="col">{t('namespaces.verbs')}</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((each) => (
            <tr key={JSON.stringify(each)}>
              <td>{(each.apiGroups ?? []).map((group) => group || 'core').join(', ')}</td>
              <td>
                {(each.resources ?? each.nonResourceURLs ?? []).join(', ')}
                {each.resourceNames && ` (${each.resourceNames.join(', ')})`}
              </td>
              <td>{each.verbs.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
