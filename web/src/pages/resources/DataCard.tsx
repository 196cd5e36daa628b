import { Copy, Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { KubeObject } from '../../api/objects';
import { decodeText, sizeOfEncoded } from '../../domain/base64';
import { textsAt } from '../../kinds/reading';
import { Button, IconButton } from '../../ui/Button';
import { Card } from '../../ui/Page';
import { toast } from '../../ui/toasts';

/** What a ConfigMap or a Secret holds; what is secret is hidden until somebody asks for it. */
export function DataCard({ object, secret }: { object: KubeObject; secret: boolean }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const data = [...textsAt(object, 'data')];
  const binary = [...textsAt(object, 'binaryData')];
  const every = data.length > 0 && data.every(([key]) => shown.has(key));
  const toggle = (key: string) => {
    const next = new Set(shown);
    if (!next.delete(key)) next.add(key);
    setShown(next);
  };
  return (
    <Card
      title={t('kinds.data')}
      actions={
        secret &&
        data.length > 0 && (
          <Button
            size="small"
            icon={every ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
            onPress={() => setShown(new Set(every ? [] : data.map(([key]) => key)))}
          >
            {every ? t('kinds.hideValues') : t('kinds.showValues')}
          </Button>
        )
      }
    >
      {data.length + binary.length === 0 ? (
        <p className="muted">{t('kinds.noData')}</p>
      ) : (
        <ul className="data-list">
          {data.map(([key, value]) => (
            <Entry
              key={key}
              name={key}
              text={secret ? decodeText(value) : value}
              bytes={secret ? sizeOfEncoded(value) : value.length}
              hidden={secret && !shown.has(key)}
              {...(secret && { onToggle: () => toggle(key) })}
            />
          ))}
          {binary.map(([key, value]) => (
            <Entry
              key={key}
              name={key}
              text={undefined}
              bytes={sizeOfEncoded(value)}
              hidden={false}
            />
          ))}
        </ul>
      )}
    </Card>
  );
}

interface EntryProps {
  name: string;
  /** undefined: it is no text. */
  text: string | undefined;
  bytes: number;
  hidden: boolean;
  onToggle?: () => void;
}

function Entry({ name, text, bytes, hidden, onToggle }: EntryProps) {
  const { t } = useTranslation();
  const copy = async () => {
    await navigator.clipboard.writeText(text ?? '');
    toast({ tone: 'ok', title: t('common.copied') });
  };
  return (
    <li>
      <div className="data-head">
        <h3 className="mono">
          <bdi>{name}</bdi>
        </h3>
        <span className="grow" />
        {onToggle && (
          <IconButton
            size="small"
            label={hidden ? t('kinds.showValue', { name }) : t('kinds.hideValue', { name })}
            icon={hidden ? <Eye aria-hidden /> : <EyeOff aria-hidden />}
            onPress={onToggle}
          />
        )}
        {text !== undefined && (
          <IconButton
            size="small"
            label={t('kinds.copyValue', { name })}
            icon={<Copy aria-hidden />}
            onPress={() => void copy()}
          />
        )}
      </div>
      {hidden ? (
        <p className="data-value muted">{'•'.repeat(12)}</p>
      ) : text === undefined ? (
        <p className="data-value muted">{t('kinds.binary', { count: bytes })}</p>
      ) : (
        // A long value scrolls, and so it can be reached with the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre className="data-value" role="region" tabIndex={0} aria-label={name}>
          <bdi>{text}</bdi>
        </pre>
      )}
    </li>
  );
}
