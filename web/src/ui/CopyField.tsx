import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { Button } from './Button';
import './fields.css';

/** A value that is shown to be copied. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <TextField className="field" isReadOnly value={value}>
      <Label className="label">{label}</Label>
      <div className="row">
        <Input className="input mono" onFocus={(event) => event.target.select()} />
        <Button
          icon={copied ? <Check aria-hidden /> : <Copy aria-hidden />}
          onPress={() => void copy()}
        >
          <span aria-live="polite">{copied ? t('common.copied') : t('common.copy')}</span>
        </Button>
      </div>
    </TextField>
  );
}
