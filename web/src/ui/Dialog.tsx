import { X } from 'lucide-react';
import { type ReactNode } from 'react';
import { Dialog as AriaDialog, Form, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { Problem } from './Banner';
import { Button, IconButton } from './Button';
import { useAttempt } from './useAttempt';
import './dialog.css';

export interface DialogProps {
  title: ReactNode;
  /** Open while this is true. */
  open: boolean;
  onClose: () => void;
  size?: 'small' | 'large';
  /** It shows what is never shown again: only its own button closes it, nothing by chance. */
  once?: boolean;
  children: ReactNode;
}

export function Dialog(props: DialogProps) {
  const { title, open, onClose, size = 'small', once = false, children } = props;
  const { t } = useTranslation();
  return (
    <ModalOverlay
      className="scrim"
      isOpen={open}
      isDismissable={!once}
      isKeyboardDismissDisabled={once}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
    >
      <Modal className={`modal modal-${size}`}>
        <AriaDialog className="dialog">
          <header className="dialog-head">
            <Heading slot="title" className="dialog-title" level={2}>
              {title}
            </Heading>
            {!once && (
              <IconButton
                label={t('common.close')}
                size="small"
                icon={<X aria-hidden />}
                onPress={onClose}
              />
            )}
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface FormDialogProps extends Omit<DialogProps, 'children'> {
  children: ReactNode;
  submit: string;
  danger?: boolean;
  /** Whether what is filled in can be sent. */
  ready?: boolean;
  /** Does it; the dialog closes when it is done, and says what went wrong. */
  onSubmit: () => Promise<void>;
}

/** A dialog that does one thing. */
export function FormDialog(props: FormDialogProps) {
  const { children, submit, danger, ready = true, onSubmit, ...dialog } = props;
  return (
    <Dialog {...dialog}>
      <FormBody {...{ submit, danger, ready, onSubmit }} onClose={dialog.onClose}>
        {children}
      </FormBody>
    </Dialog>
  );
}

interface FormBodyProps {
  children: ReactNode;
  submit: string;
  danger: boolean | undefined;
  ready: boolean;
  onSubmit: () => Promise<void>;
  onClose: () => void;
}

/** Lives as long as the dialog is open, so that an old error is not shown the next time. */
function FormBody({ children, submit, danger, ready, onSubmit, onClose }: FormBodyProps) {
  const { t } = useTranslation();
  const { busy, error, attempt } = useAttempt();
  const run = () =>
    attempt(async () => {
      await onSubmit();
      onClose();
    });
  return (
    <Form
      className="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !busy) void run();
      }}
    >
      <div className="dialog-body">
        {children}
        {error !== undefined && <Problem error={error} />}
      </div>
      <footer className="dialog-foot">
        <Button onPress={onClose}>{t('common.cancel')}</Button>
        <Button look={danger ? 'danger' : 'primary'} type="submit" isDisabled={!ready} busy={busy}>
          {submit}
        </Button>
      </footer>
    </Form>
  );
}
