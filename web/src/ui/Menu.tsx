import type { ReactNode } from 'react';
import {
  Header,
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection,
  MenuTrigger,
  Popover,
  Text,
} from 'react-aria-components';

import './menu.css';

export interface MenuAction {
  id: string;
  label: string;
  icon?: ReactNode;
  /** Why it cannot be chosen; undefined: it can. */
  why?: string | undefined;
  danger?: boolean;
  onAction: () => void;
}

/** A menu of actions; `trigger` is the button that opens it. */
export function ActionMenu(props: {
  trigger: ReactNode;
  label: string;
  actions: () => readonly MenuAction[];
}) {
  return (
    <MenuTrigger>
      {props.trigger}
      <Popover className="popover" placement="bottom end" offset={4}>
        <Actions label={props.label} actions={props.actions} />
      </Popover>
    </MenuTrigger>
  );
}

/** A menu whose content asks for something first, such as rights: it is made while it is open. */
export function AskingMenu(props: { trigger: ReactNode; children: ReactNode }) {
  return (
    <MenuTrigger>
      {props.trigger}
      <Popover className="popover" placement="bottom end" offset={4}>
        {props.children}
      </Popover>
    </MenuTrigger>
  );
}

/** Made only while the menu is open, so that a table does not ask for the rights of all its rows. */
export function Actions(props: { label: string; actions: () => readonly MenuAction[] }) {
  const actions = props.actions();
  const disabled = actions.filter((each) => each.why !== undefined).map((each) => each.id);
  return (
    <AriaMenu className="menu" aria-label={props.label} disabledKeys={disabled}>
      {actions.map((each) => (
        <AriaMenuItem
          key={each.id}
          id={each.id}
          className={`menu-item${each.danger ? ' menu-item-danger' : ''}`}
          textValue={each.label}
          onAction={each.onAction}
        >
          {each.icon}
          <Text slot="label">
            {each.label}
            {each.why !== undefined && <span className="menu-note">{each.why}</span>}
          </Text>
        </AriaMenuItem>
      ))}
    </AriaMenu>
  );
}

export interface ChoiceSection {
  title: string;
  selected: string;
  choices: readonly { id: string; label: string }[];
  onChoose: (id: string) => void;
}

/** A menu in which one of several is chosen, a section each. */
export function ChoiceMenu(props: {
  trigger: ReactNode;
  label: string;
  sections: readonly ChoiceSection[];
  actions?: readonly MenuAction[];
  head?: ReactNode;
}) {
  return (
    <MenuTrigger>
      {props.trigger}
      <Popover className="popover" placement="bottom end" offset={4}>
        {props.head}
        <AriaMenu className="menu" aria-label={props.label}>
          {(props.actions ?? []).map((each) => (
            <AriaMenuItem
              key={each.id}
              id={each.id}
              className="menu-item"
              textValue={each.label}
              onAction={each.onAction}
            >
              {each.icon}
              <Text slot="label">{each.label}</Text>
            </AriaMenuItem>
          ))}
          {props.sections.map((section) => (
            <MenuSection
              key={section.title}
              className="menu-section"
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[section.selected]}
              onSelectionChange={(keys) => {
                const [first] = keys === 'all' ? [] : [...keys];
                if (first !== undefined) section.onChoose(String(first));
              }}
            >
              <Header className="menu-title">{section.title}</Header>
              {section.choices.map((each) => (
                <AriaMenuItem
                  key={each.id}
                  id={each.id}
                  className="menu-item"
                  textValue={each.label}
                >
                  <Text slot="label">{each.label}</Text>
                </AriaMenuItem>
              ))}
            </MenuSection>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
