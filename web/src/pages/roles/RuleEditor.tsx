import { Plus, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useDiscovery, type ServedResource } from '../../api/discovery';
import type { PolicyRule } from '../../domain/roles';
import {
  ALL,
  groupsOf,
  inScope,
  READ,
  resourcesOf,
  unserved,
  verbsOf,
  WRITE,
} from '../../domain/rules';
import { Button, IconButton } from '../../ui/Button';
import { Checkbox } from '../../ui/Fields';
import { TagsField } from '../../ui/TagsField';
import './roles.css';

/** A rule with an identity of its own, so that fields stay with it when another one goes. */
export interface KeyedRule {
  id: number;
  rule: PolicyRule;
}

export function keyed(rules: readonly PolicyRule[]): KeyedRule[] {
  return rules.map((rule, id) => ({ id, rule }));
}

interface Props {
  rules: readonly KeyedRule[];
  onChange: (rules: KeyedRule[]) => void;
  /** Of a role for namespaces: there is nothing else to choose from then. */
  namespaced: boolean;
}

/** What a role allows, chosen from what is served; other words can be typed. */
export function RuleEditor({ rules, onChange, namespaced }: Props) {
  const { t } = useTranslation();
  const { served = [] } = useDiscovery();
  const offered = inScope(served, namespaced);
  const add = (rule: PolicyRule) => {
    const id = Math.max(-1, ...rules.map((each) => each.id)) + 1;
    onChange([...rules, { id, rule }]);
  };
  return (
    <div className="stack">
      {rules.length === 0 && <p className="muted">{t('roles.noRulesYet')}</p>}
      {rules.map(({ id, rule }, index) => (
        <RuleCard
          key={id}
          number={index + 1}
          rule={rule}
          served={offered}
          onChange={(next) =>
            onChange(rules.map((each) => (each.id === id ? { id, rule: next } : each)))
          }
          onRemove={() => onChange(rules.filter((each) => each.id !== id))}
        />
      ))}
      <div className="row-wrap">
        <Button
          icon={<Plus aria-hidden />}
          onPress={() => add({ apiGroups: [], resources: [], verbs: [...READ] })}
        >
          {t('roles.addRule')}
        </Button>
        {!namespaced && (
          <Button
            icon={<Plus aria-hidden />}
            onPress={() => add({ nonResourceURLs: [], verbs: ['get'] })}
          >
            {t('roles.addUrlRule')}
          </Button>
        )}
      </div>
    </div>
  );
}

interface CardProps {
  number: number;
  rule: PolicyRule;
  served: readonly ServedResource[];
  onChange: (rule: PolicyRule) => void;
  onRemove: () => void;
}

function RuleCard({ number, rule, served, onChange, onRemove }: CardProps) {
  const { t } = useTranslation();
  const missing = unserved(served, rule);
  return (
    <fieldset className="rule-card">
      <legend className="visually-hidden">{t('roles.rule', { number })}</legend>
      <div className="row">
        <h3 className="grow" aria-hidden>
          {t('roles.rule', { number })}
        </h3>
        <IconButton
          size="small"
          label={t('roles.removeRule', { number })}
          icon={<Trash2 aria-hidden />}
          onPress={onRemove}
        />
      </div>
      {rule.nonResourceURLs === undefined ? (
        <div className="rule-fields">
          <TagsField
            label={t('roles.groups')}
            values={(rule.apiGroups ?? []).map(coreFor)}
            onChange={(groups) => onChange({ ...rule, apiGroups: groups.map(groupFor) })}
            suggestions={groupsOf(served).map(coreFor)}
            say={(each) => (each === ALL ? t('roles.everyGroup') : each)}
            placeholder={t('roles.chooseGroup')}
          />
          <TagsField
            label={t('roles.resources')}
            values={rule.resources ?? []}
            onChange={(resources) => onChange({ ...rule, resources })}
            suggestions={resourcesOf(served, rule.apiGroups ?? [])}
            say={(each) => (each === ALL ? t('roles.everything') : each)}
            placeholder={t('roles.chooseResource')}
            {...(missing.length > 0 && {
              hint: t('roles.unserved', { names: missing.join(', ') }),
            })}
          />
          <TagsField
            label={t('roles.names')}
            values={rule.resourceNames ?? []}
            onChange={(names) => {
              const changed = { ...rule, resourceNames: names };
              if (names.length === 0) delete (changed as typeof rule).resourceNames;
              onChange(changed);
            }}
            suggestions={[]}
            placeholder={t('roles.anyName')}
          />
        </div>
      ) : (
        <TagsField
          label={t('roles.urls')}
          values={rule.nonResourceURLs}
          onChange={(nonResourceURLs) => onChange({ ...rule, nonResourceURLs })}
          suggestions={['/healthz', '/livez', '/metrics', '/openapi/*', '/readyz', '/version']}
          placeholder={t('roles.chooseUrl')}
        />
      )}
      <Verbs rule={rule} served={served} onChange={(verbs) => onChange({ ...rule, verbs })} />
    </fieldset>
  );
}

/** The core group has an empty name, which nobody can choose. */
const CORE = 'core';
const coreFor = (group: string) => (group === '' ? CORE : group);
const groupFor = (word: string) => (word === CORE ? '' : word);

function Verbs(props: {
  rule: PolicyRule;
  served: readonly ServedResource[];
  onChange: (verbs: string[]) => void;
}) {
  const { rule, served, onChange } = props;
  const { t } = useTranslation();
  const all = rule.verbs.includes(ALL);
  const offered =
    rule.nonResourceURLs === undefined
      ? verbsOf(served, rule)
      : ['get', 'head', 'post', 'put', 'patch', 'delete'];
  const shown = [...new Set([...offered, ...rule.verbs.filter((each) => each !== ALL)])];
  const toggle = (verb: string, on: boolean) =>
    onChange(on ? [...rule.verbs, verb] : rule.verbs.filter((each) => each !== verb));
  const has = (verbs: readonly string[]) => shown.filter((each) => verbs.includes(each));
  return (
    <fieldset className="fieldset stack-s">
      <legend className="label">{t('roles.verbs')}</legend>
      <div className="rule-verbs">
        <Checkbox checked={all} onChange={(on) => onChange(on ? [ALL] : has(READ))}>
          {t('roles.everyVerb')}
        </Checkbox>
        {shown.map((verb) => (
          <Checkbox
            key={verb}
            checked={all || rule.verbs.includes(verb)}
            disabled={all}
            onChange={(on) => toggle(verb, on)}
          >
            {verb}
          </Checkbox>
        ))}
      </div>
      {rule.nonResourceURLs === undefined && (
        <div className="row-wrap">
          <Button size="small" isDisabled={all} onPress={() => onChange(has(READ))}>
            {t('roles.onlyRead')}
          </Button>
          <Button size="small" isDisabled={all} onPress={() => onChange(has([...READ, ...WRITE]))}>
            {t('roles.readAndWrite')}
          </Button>
        </div>
      )}
    </fieldset>
  );
}
