import { ChevronDown } from 'lucide-react';
import {
  Button as AriaButton,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select as AriaSelect,
  SelectValue,
  Text,
} from 'react-aria-components';

import './fields.css';
import './menu.css';

export interface Option<Id extends string = string> {
  id: Id;
  label: string;
  /** A second line. */
  note?: string;
  /** Why it cannot be chosen; undefined: it can. */
  why?: string | undefined;
}

export interface SelectProps<Id extends string> {
  label: string;
  /** The label is said and not shown: what is beside it says it already. */
  labelHidden?: boolean;
  options: readonly Option<Id>[];
  selected: Id;
  onSelect: (id: Id) => void;
  isDisabled?: boolean;
  hint?: string;
}

export function Select<Id extends string>(props: SelectProps<Id>) {
  const { label, labelHidden = false, options, selected, onSelect, isDisabled = false } = props;
  const { hint } = props;
  const disabled = options.filter((each) => each.why !== undefined).map((each) => each.id);
  return (
    <AriaSelect
      className="field select"
      value={selected}
      onChange={(key) => {
        if (key !== null) onSelect(key as Id);
      }}
      isDisabled={isDisabled}
      disabledKeys={disabled}
    >
      <Label className={labelHidden ? 'visually-hidden' : 'label'}>{label}</Label>
      <AriaButton className="select-button">
        <SelectValue className="truncate">{({ selectedText }) => selectedText}</SelectValue>
        <ChevronDown aria-hidden />
      </AriaButton>
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <Popover className="popover select-popover" offset={4}>
        <ListBox className="menu">
          {options.map((each) => (
            <ListBoxItem key={each.id} id={each.id} className="menu-item" textValue={each.label}>
              <Text slot="label">
                {each.label}
                {(each.why ?? each.note) !== undefined && (
                  <span className="menu-note">{each.why ?? each.note}</span>
                )}
              </Text>
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
