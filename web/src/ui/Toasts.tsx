import { CircleAlert, CircleCheck, TriangleAlert, X } from 'lucide-react';
import {
  Button as AriaButton,
  Text,
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { toasts } from './toasts';
import './toasts.css';

const icons = { ok: CircleCheck, warn: TriangleAlert, bad: CircleAlert } as const;

export function Toasts() {
  const { t } = useTranslation();
  return (
    <ToastRegion queue={toasts} className="toasts" aria-label={t('shell.notifications')}>
      {({ toast }) => {
        const { tone, title, text } = toast.content;
        const Icon = icons[tone];
        return (
          <Toast toast={toast} className={`toast toast-${tone}`}>
            <Icon aria-hidden />
            <ToastContent className="grow">
              <Text slot="title" className="toast-title">
                <bdi>{title}</bdi>
              </Text>
              {text !== undefined && (
                <Text slot="description" className="toast-text">
                  <bdi>{text}</bdi>
                </Text>
              )}
            </ToastContent>
            <AriaButton slot="close" className="toast-close" aria-label={t('common.close')}>
              <X aria-hidden />
            </AriaButton>
          </Toast>
        );
      }}
    </ToastRegion>
  );
}
