import { ChevronDown } from 'lucide-react';
import {
  Button as AriaButton,
  ComboBox as AriaComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Text,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import type { Option } from './Select';
import { Suggestions } from './Suggestions';
import './fields.css';

export interface ComboBoxProps {
  label: string;
  labelHidden?: boolean;
  /** Only these are offered; anything else may be typed. */
  options: readonly Option[];
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  hint?: string;
  problem?: string | undefined;
}

const MOST = 100;

/** A field that offers what it knows, and takes what is typed. */
export function ComboBox(props: ComboBoxProps) {
  const {
    label,
    labelHidden = false,
    options,
    value,
    onChange,
    placeholder,
    hint,
    problem,
  } = props;
  const { t } = useTranslation();
  const word = value.toLowerCase();
  const exact = options.some((each) => each.id === value);
  const found = options.filter(
    (each) =>
      exact ||
      each.id.toLowerCase().includes(word) ||
      each.label.toLowerCase().includes(word) ||
      each.note?.toLowerCase().includes(word),
  );
  return (
    <AriaComboBox
      className="field"
      allowsCustomValue
      allowsEmptyCollection
      menuTrigger="focus"
      inputValue={value}
      onInputChange={onChange}
      onChange={(key) => {
        if (key !== null) onChange(String(key));
      }}
      isInvalid={problem !== undefined}
      validationBehavior="aria"
      items={found.slice(0, MOST)}
    >
      <Label className={labelHidden ? 'visually-hidden' : 'label'}>{label}</Label>
      <div className="input-box">
        <Input className="input" placeholder={placeholder ?? ''} />
        <AriaButton className="input-button">
          <ChevronDown aria-hidden />
        </AriaButton>
      </div>
      {hint !== undefined && problem === undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="hint hint-bad">{problem}</FieldError>
      <Suggestions>
        <ListBox
          className="menu"
          renderEmptyState={() => <p className="menu-empty muted">{t('common.noSuggestion')}</p>}
        >
          {(each: Option) => (
            <ListBoxItem id={each.id} className="menu-item" textValue={each.id}>
              <Text slot="label">
                <bdi>{each.label}</bdi>
                {each.note !== undefined && <bdi className="menu-note">{each.note}</bdi>}
              </Text>
            </ListBoxItem>
          )}
        </ListBox>
      </Suggestions>
    </AriaComboBox>
  );
}
