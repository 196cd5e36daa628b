import { ChevronsUpDown } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  ListLayout,
  Popover,
  Select,
  SelectValue,
  Text,
  Virtualizer,
} from 'react-aria-components';

import './select.css';

export interface Choice {
  id: string;
  label: string;
}

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  choices: readonly Choice[];
  hint?: ReactNode;
  problem?: string | undefined;
  isDisabled?: boolean;
}

/** One of a few. */
export function ChoiceField(props: FieldProps) {
  const { label, value, onChange, choices, hint, problem, isDisabled = false } = props;
  return (
    <Select
      className="field"
      value={value}
      onChange={(key) => {
        if (key !== null) onChange(String(key));
      }}
      isDisabled={isDisabled}
      isInvalid={problem !== undefined}
      validationBehavior="aria"
    >
      <Label className="label">{label}</Label>
      <AriaButton className="select-button">
        <SelectValue className="truncate grow select-value" />
        <ChevronsUpDown aria-hidden />
      </AriaButton>
      <Notes {...{ hint, problem }} />
      <Popover className="popover select-popover" offset={4}>
        <ListBox className="menu" items={choices}>
          {(each) => <Item choice={each} />}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** One of many: what is typed narrows them down. */
export function ComboField(props: FieldProps & { placeholder?: string }) {
  const { label, value, onChange, choices, hint, problem, placeholder, isDisabled = false } = props;
  return (
    <ComboBox
      className="field"
      value={value === '' ? null : value}
      onChange={(key) => onChange(key === null ? '' : String(key))}
      defaultItems={choices}
      isDisabled={isDisabled}
      isInvalid={problem !== undefined}
      validationBehavior="aria"
      menuTrigger="focus"
    >
      <Label className="label">{label}</Label>
      <div className="input-box">
        <Input
          className="input"
          autoComplete="off"
          {...(placeholder !== undefined && { placeholder })}
        />
        <AriaButton className="input-button">
          <ChevronsUpDown aria-hidden />
        </AriaButton>
      </div>
      <Notes {...{ hint, problem }} />
      <Popover className="popover select-popover" offset={4}>
        <Virtualizer layout={ListLayout} layoutOptions={{ rowSize: 32 }}>
          <ListBox className="menu combo-list">{(each: Choice) => <Item choice={each} />}</ListBox>
        </Virtualizer>
      </Popover>
    </ComboBox>
  );
}

function Item({ choice }: { choice: Choice }) {
  return (
    <ListBoxItem className="menu-item" id={choice.id} textValue={choice.label}>
      <bdi className="truncate">{choice.label}</bdi>
    </ListBoxItem>
  );
}

function Notes({ hint, problem }: { hint: ReactNode; problem: string | undefined }) {
  return (
    <>
      {hint !== undefined && problem === undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="hint hint-bad">{problem}</FieldError>
    </>
  );
}
