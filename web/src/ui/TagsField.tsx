import { ChevronsUpDown, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import {
  Button as AriaButton,
  ComboBox,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Tag,
  TagGroup,
  TagList,
  Text,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { Suggestions } from './Suggestions';
import './fields.css';
import './tags.css';

export interface TagsFieldProps {
  label: string;
  values: readonly string[];
  onChange: (values: string[]) => void;
  /** What is offered; other words can be typed too. */
  suggestions: readonly string[];
  /** How a value reads, where it reads otherwise. */
  say?: (value: string) => string;
  hint?: ReactNode;
  placeholder?: string;
  isDisabled?: boolean;
}

const OFFERED = 200;

/** Several words: those that are chosen, and a box to add more. */
export function TagsField(props: TagsFieldProps) {
  const { label, values, onChange, suggestions, say = same, hint, placeholder } = props;
  const { isDisabled = false } = props;
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const word = typed.trim().toLowerCase();
  const offered = suggestions
    .filter((each) => !values.includes(each) && say(each).toLowerCase().includes(word))
    .slice(0, OFFERED)
    .map((id) => ({ id }));
  const add = (...words: string[]) => {
    const next = new Set([...values, ...words.map((each) => each.trim()).filter(Boolean)]);
    setTyped('');
    if (next.size > values.length) onChange([...next]);
  };
  return (
    <div className="field">
      <ComboBox
        className="field"
        value={null}
        inputValue={typed}
        // A comma ends a word, and parts what is pasted.
        onInputChange={(text) => (text.includes(',') ? add(...text.split(',')) : setTyped(text))}
        onChange={(key) => {
          if (key !== null) add(String(key));
        }}
        items={offered}
        allowsCustomValue
        menuTrigger="focus"
        isDisabled={isDisabled}
        onBlur={() => add(typed)}
      >
        <Label className="label">{label}</Label>
        <div className="input-box">
          <Input
            className="input"
            autoComplete="off"
            placeholder={placeholder ?? t('common.add')}
            onKeyDown={(event) => {
              // Where a suggestion is pointed at, that one is meant.
              const pointing = event.currentTarget.hasAttribute('aria-activedescendant');
              if (event.key === 'Enter' && typed.trim() !== '' && !pointing) {
                event.preventDefault();
                add(typed);
              }
            }}
          />
          <AriaButton className="input-button">
            <ChevronsUpDown aria-hidden />
          </AriaButton>
        </div>
        {hint !== undefined && (
          <Text slot="description" className="hint">
            {hint}
          </Text>
        )}
        <Suggestions>
          <ListBox className="menu combo-list">
            {(each: { id: string }) => (
              <ListBoxItem className="menu-item" textValue={say(each.id)}>
                <bdi className="truncate">{say(each.id)}</bdi>
              </ListBoxItem>
            )}
          </ListBox>
        </Suggestions>
      </ComboBox>
      {values.length > 0 && (
        <TagGroup
          aria-label={t('common.chosenOf', { label })}
          {...(!isDisabled && {
            onRemove: (keys: Set<string | number>) =>
              onChange(values.filter((each) => !keys.has(each))),
          })}
        >
          <TagList className="tags-chosen">
            {values.map((each) => (
              <Tag key={each} id={each} className="tag" textValue={say(each)}>
                <bdi className="truncate">{say(each)}</bdi>
                {!isDisabled && (
                  <AriaButton slot="remove" className="tag-remove">
                    <X aria-hidden />
                  </AriaButton>
                )}
              </Tag>
            ))}
          </TagList>
        </TagGroup>
      )}
    </div>
  );
}

const same = (value: string) => value;
