import { Eye, EyeOff, Search, X } from 'lucide-react';
import { useState, type InputHTMLAttributes, type ReactNode } from 'react';
import {
  Button as AriaButton,
  FieldError,
  Input,
  Label,
  SearchField as AriaSearchField,
  Text,
  TextArea,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import './fields.css';

export interface TextFieldProps extends Omit<
  AriaTextFieldProps,
  'className' | 'style' | 'children'
> {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value; undefined: nothing. */
  problem?: string | undefined;
  placeholder?: string;
  multiline?: boolean;
  optional?: boolean;
  mono?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { label, hint, problem, placeholder, multiline, optional, mono, ...rest } = props;
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  const secret = rest.type === 'password';
  const look = `input${mono ? ' mono' : ''}`;
  const more = placeholder === undefined ? {} : { placeholder };
  return (
    <AriaTextField
      validationBehavior="aria"
      {...rest}
      {...(secret && shown && { type: 'text' })}
      className="field"
      isInvalid={problem !== undefined}
    >
      <Label className="label">
        {label}
        {optional && <span className="muted label-note">{t('common.optional')}</span>}
      </Label>
      {multiline ? (
        <TextArea className={look} rows={3} {...more} />
      ) : (
        <div className="input-box">
          <Input className={look} {...more} />
          {secret && (
            <AriaButton
              className="input-button"
              aria-label={shown ? t('signIn.hidePassword') : t('signIn.showPassword')}
              onPress={() => setShown(!shown)}
            >
              {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
            </AriaButton>
          )}
        </div>
      )}
      {hint !== undefined && problem === undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="hint hint-bad">{problem}</FieldError>
    </AriaTextField>
  );
}

export interface SearchFieldProps {
  label: string;
  placeholder?: string;
  value: string;
  onChange: (value: string) => void;
}

export function SearchField({ label, placeholder, value, onChange }: SearchFieldProps) {
  const { t } = useTranslation();
  return (
    <AriaSearchField className="search" aria-label={label} value={value} onChange={onChange}>
      <Search aria-hidden className="search-icon" />
      <Input className="input" placeholder={placeholder ?? label} />
      {value !== '' && (
        <AriaButton className="input-button" aria-label={t('common.clearFilter')}>
          <X aria-hidden />
        </AriaButton>
      )}
    </AriaSearchField>
  );
}

export interface CheckboxProps extends Omit<
  InputHTMLAttributes<HTMLInputElement>,
  'type' | 'onChange'
> {
  indeterminate?: boolean;
  onChange?: (checked: boolean) => void;
}

/** The browser's own checkbox: a table has hundreds of them. */
export function Checkbox({ indeterminate = false, onChange, children, ...rest }: CheckboxProps) {
  const box = (
    <input
      {...rest}
      ref={(input) => {
        if (input) input.indeterminate = indeterminate;
      }}
      type="checkbox"
      className="checkbox-box"
      onChange={(event) => onChange?.(event.target.checked)}
    />
  );
  if (children === undefined) return box;
  return (
    <label className="checkbox">
      {box}
      {children}
    </label>
  );
}
