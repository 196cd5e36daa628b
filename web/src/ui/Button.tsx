import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Focusable,
  Tooltip,
  TooltipTrigger,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import type { Answer } from '../api/access';
import './button.css';

export interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style' | 'children'> {
  look?: 'primary' | 'secondary' | 'quiet' | 'danger';
  size?: 'normal' | 'small';
  icon?: ReactNode;
  children?: ReactNode;
  /** It is being done: said and shown, while the button keeps the focus. */
  busy?: boolean;
}

export function Button(props: ButtonProps) {
  const { look = 'secondary', size = 'normal', icon, children, busy = false, ...rest } = props;
  const { t } = useTranslation();
  const bare = children === undefined ? ' button-icon' : '';
  return (
    <AriaButton {...rest} className={`button button-${look} button-${size}${bare}`}>
      {busy ? (
        <span className="button-busy" role="status" aria-label={t('common.working')} />
      ) : (
        icon
      )}
      {children}
    </AriaButton>
  );
}

/** A button that is an icon; its label is said, and shown when one points at it. */
export function IconButton({ label, ...rest }: Omit<ButtonProps, 'children'> & { label: string }) {
  return (
    <TooltipTrigger delay={400}>
      <Button look="quiet" {...rest} aria-label={label} />
      <Tooltip className="tooltip" offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}

/** A button for what the user may do; where he may not, it says why and does nothing. */
export function MayButton({ answer, ...rest }: ButtonProps & { answer: Answer }) {
  const { t } = useTranslation();
  if (answer.allowed !== false) return <Button {...rest} />;
  const { look = 'secondary', size = 'normal', icon, children } = rest;
  const why = answer.reason
    ? t('common.notAllowed', { reason: answer.reason })
    : t('common.notAllowedPlain');
  // It can be reached, so that the reason can be read; that is why it is not `disabled`.
  return (
    <TooltipTrigger delay={150}>
      <Focusable>
        <button
          type="button"
          aria-disabled
          data-disabled
          className={`button button-${look} button-${size}`}
        >
          {icon}
          {children}
        </button>
      </Focusable>
      <Tooltip className="tooltip" offset={6}>
        {why}
      </Tooltip>
    </TooltipTrigger>
  );
}
