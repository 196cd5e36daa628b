import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Answer } from '../../api/access';
import { DESCRIPTION } from '../../domain/namespaces';
import { isWhole } from '../../domain/rules';
import { textAt, withAt } from '../../kinds/reading';
import { Banner, Problem } from '../../ui/Banner';
import { Button, MayButton } from '../../ui/Button';
import { Checkbox, TextField } from '../../ui/Fields';
import { Card } from '../../ui/Page';
import { nameProblem } from '../resources/names';
import type { Role, RoleKind } from './roleKinds';
import { keyed, RuleEditor } from './RuleEditor';
import { RulesTable } from './RulesTable';
import { useAttempt } from '../../ui/useAttempt';
import '../resources/resources.css';

interface Props {
  kind: RoleKind;
  role: Role;
  exists: boolean;
  answer: Answer;
  onSave: (role: Role) => Promise<void>;
  onCancel: () => void;
}

/** A role: what it is called, to whom it goes by itself, and what it allows. */
export function RoleForm({ kind, role: first, exists, answer, onSave, onCancel }: Props) {
  const { t } = useTranslation();
  const [role, setRole] = useState(first);
  const [rules, setRules] = useState(() => keyed(first.rules ?? []));
  const { busy, error, attempt } = useAttempt();
  const builtin = first.spec?.builtin === true;
  const { name } = role.metadata;
  const problem = exists ? undefined : nameProblem(name);
  const whole = rules.every((each) => isWhole(each.rule));
  const ready = name !== '' && problem === undefined && whole;
  const { defaultField, scope } = kind;
  const set = (path: readonly string[], value: unknown) => setRole(withAt(role, path, value));
  const save = () =>
    attempt(async () => {
      await onSave(builtin ? role : { ...role, rules: rules.map((each) => each.rule) });
    });
  return (
    <form
      className="form-page"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !busy && answer.allowed !== false) void save();
      }}
    >
      <Card>
        <div className="form-grid">
          {!exists && (
            <TextField
              label={t('common.name')}
              value={name}
              isRequired
              autoComplete="off"
              hint={t('kinds.nameHint')}
              problem={problem && t(problem)}
              onChange={(value) => set(['metadata', 'name'], value)}
            />
          )}
          <TextField
            label={t('roles.displayName')}
            value={textAt(role, 'spec', 'displayName')}
            optional
            maxLength={128}
            autoComplete="off"
            onChange={(value) => set(['spec', 'displayName'], value || undefined)}
          />
          <div className="form-wide">
            <TextField
              label={t('common.description')}
              value={textAt(role, 'metadata', 'annotations', DESCRIPTION)}
              optional
              multiline
              onChange={(value) =>
                set(['metadata', 'annotations', DESCRIPTION], value || undefined)
              }
            />
          </div>
          <Switch
            label={t(`roles.defaults.${scope}`)}
            hint={t(`roles.defaultHints.${scope}`)}
            checked={role.spec?.[defaultField] === true}
            onChange={(on) => set(['spec', defaultField], on || undefined)}
          />
          {scope === 'namespace' && (
            <Switch
              label={t('roles.lock')}
              hint={t('roles.lockHint')}
              checked={role.spec?.locked === true}
              onChange={(on) => set(['spec', 'locked'], on || undefined)}
            />
          )}
        </div>
      </Card>
      <Card title={t('roles.rules')}>
        {builtin ? (
          <>
            <Banner tone="info">{t('roles.builtinRules')}</Banner>
            <RulesTable rules={first.rules ?? []} />
          </>
        ) : (
          <RuleEditor rules={rules} onChange={setRules} namespaced={scope === 'namespace'} />
        )}
      </Card>
      {!whole && <p className="hint">{t('roles.incomplete')}</p>}
      {error !== undefined && <Problem error={error} />}
      <footer className="form-foot">
        <Button onPress={onCancel}>{t('common.cancel')}</Button>
        <MayButton look="primary" type="submit" answer={answer} isDisabled={!ready} busy={busy}>
          {exists ? t('common.save') : t('common.create')}
        </MayButton>
      </footer>
    </form>
  );
}

function Switch(props: {
  label: string;
  hint: string;
  checked: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <div className="field form-wide">
      <Checkbox checked={props.checked} onChange={props.onChange}>
        {props.label}
      </Checkbox>
      <span className="hint">{props.hint}</span>
    </div>
  );
}
