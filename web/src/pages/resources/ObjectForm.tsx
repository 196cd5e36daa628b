import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { decodeText, encodeText } from '../../domain/base64';
import type { KindField } from '../../kinds/kind';
import { recordOf, textsAt, withAt } from '../../kinds/reading';
import { Button, IconButton } from '../../ui/Button';
import { Checkbox, TextField } from '../../ui/Fields';
import { Select } from '../../ui/Select';

export interface ObjectFormProps {
  fields: readonly KindField[];
  manifest: object;
  onChange: (manifest: object) => void;
  /** The object exists: what is said once is not asked again. */
  exists: boolean;
}

/** The fields of a kind over one manifest: each shows a place of it, and nothing else is touched. */
export function ObjectForm({ fields, manifest, onChange, exists }: ObjectFormProps) {
  return (
    <div className="form-grid">
      {fields.map((field) => (
        <Field key={field.id} {...{ field, manifest, onChange, exists }} />
      ))}
    </div>
  );
}

/** Whether every field holds what can be sent. */
export function isComplete(fields: readonly KindField[], manifest: object): boolean {
  return fields.every((field) => {
    if (field.input !== 'text') return true;
    const value = field.get(manifest);
    return (value !== '' || !field.required) && field.problem?.(value) === undefined;
  });
}

function Field(props: Omit<ObjectFormProps, 'fields'> & { field: KindField }) {
  const { field, manifest, onChange, exists } = props;
  const { t } = useTranslation();
  const hint = field.hint === undefined ? {} : { hint: t(field.hint) };
  if (field.input === 'text') {
    const value = field.get(manifest);
    const problem = field.problem?.(value);
    return (
      <TextField
        label={t(field.label)}
        value={value}
        onChange={(next) => onChange(field.set(manifest, next))}
        optional={!field.required}
        isRequired={field.required ?? false}
        mono={field.mono ?? false}
        isDisabled={exists && (field.fixed ?? false)}
        autoComplete="off"
        problem={problem && t(problem)}
        {...hint}
        {...(field.placeholder !== undefined && { placeholder: field.placeholder })}
      />
    );
  }
  if (field.input === 'choice') {
    const value = field.get(manifest);
    const known = field.choices.map((each) => ({
      id: each.value,
      label: each.say === undefined ? each.label : t(each.say),
    }));
    const choices = known.some((each) => each.id === value)
      ? known
      : [...known, { id: value, label: value }];
    return (
      <Select
        label={t(field.label)}
        selected={value}
        onSelect={(next) => onChange(field.set(manifest, next))}
        options={choices}
        isDisabled={exists && (field.fixed ?? false)}
        {...hint}
      />
    );
  }
  if (field.input === 'switch') {
    return (
      <div className="field">
        <Checkbox
          checked={field.get(manifest)}
          onChange={(next) => onChange(field.set(manifest, next))}
        >
          {t(field.label)}
        </Checkbox>
        {field.hint !== undefined && <span className="hint">{t(field.hint)}</span>}
      </div>
    );
  }
  return (
    <DataField
      label={t(field.label)}
      secret={field.secret}
      manifest={manifest}
      onChange={onChange}
    />
  );
}

interface Entry {
  id: number;
  key: string;
  /** As it is stored. */
  stored: string;
  /** undefined: it is no text, and stays as it is. */
  text: string | undefined;
}

/** Keys and what each holds; while one types, a key may be missing or there twice. */
function DataField(props: {
  label: string;
  secret: boolean;
  manifest: object;
  onChange: (manifest: object) => void;
}) {
  const { label, secret, manifest, onChange } = props;
  const { t } = useTranslation();
  const [entries, setEntries] = useState<readonly Entry[]>(() =>
    [...textsAt(manifest, 'data')].map(([key, stored], id) => ({
      id,
      key,
      stored,
      text: secret ? decodeText(stored) : stored,
    })),
  );
  const tell = (next: readonly Entry[]) => {
    setEntries(next);
    const named = next.filter((each) => each.key !== '');
    const data = recordOf(named.map((each) => [each.key, each.stored] as const));
    onChange(withAt(manifest, ['data'], named.length === 0 ? undefined : data));
  };
  const change = (id: number, change: Partial<Entry>) =>
    tell(entries.map((each) => (each.id === id ? { ...each, ...change } : each)));
  const twice = (entry: Entry) =>
    entry.key !== '' && entries.some((each) => each.id !== entry.id && each.key === entry.key);
  const wrong = (key: string) => key !== '' && !/^[-._a-zA-Z0-9]{1,253}$/.test(key);
  return (
    <fieldset className="form-wide stack fieldset">
      <legend className="label">{label}</legend>
      {entries.map((entry) => (
        <div key={entry.id} className="data-row">
          <TextField
            label={t('kinds.key')}
            value={entry.key}
            mono
            autoComplete="off"
            onChange={(key) => change(entry.id, { key })}
            problem={
              twice(entry)
                ? t('kinds.problems.keyTwice')
                : wrong(entry.key)
                  ? t('kinds.problems.key')
                  : undefined
            }
          />
          <div className="data-remove">
            <IconButton
              label={t('kinds.removeKey', { name: entry.key })}
              icon={<Trash2 aria-hidden />}
              onPress={() => tell(entries.filter((each) => each.id !== entry.id))}
            />
          </div>
          {entry.text === undefined ? (
            <p className="muted">{t('kinds.binaryStays')}</p>
          ) : (
            <TextField
              label={t('kinds.value')}
              value={entry.text}
              multiline
              mono
              autoComplete="off"
              onChange={(text) =>
                change(entry.id, { text, stored: secret ? encodeText(text) : text })
              }
            />
          )}
        </div>
      ))}
      <div>
        <Button
          icon={<Plus aria-hidden />}
          onPress={() => {
            const id = Math.max(-1, ...entries.map((each) => each.id)) + 1;
            tell([...entries, { id, key: '', stored: '', text: '' }]);
          }}
        >
          {t('kinds.addKey')}
        </Button>
      </div>
    </fieldset>
  );
}
