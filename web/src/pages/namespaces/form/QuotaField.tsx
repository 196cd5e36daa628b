import { useTranslation } from 'react-i18next';

import { isLimit, QUOTA_FIELDS, type QuotaField } from '../../../domain/quota';
import { TextField } from '../../../ui/Fields';

/** Limits of what a namespace may use; an empty field is no limit. */
export function QuotaFields(props: {
  quota: ReadonlyMap<string, string>;
  onChange: (quota: ReadonlyMap<string, string>) => void;
  isDisabled?: boolean;
}) {
  const { quota, onChange, isDisabled = false } = props;
  const { t } = useTranslation();
  const labels: Record<QuotaField, [label: string, hint: string]> = {
    'requests.cpu': [t('namespaces.cpu'), t('namespaces.cpuHint')],
    'requests.memory': [t('namespaces.memory'), t('namespaces.memoryHint')],
    'requests.nvidia.com/gpu': [t('namespaces.gpu'), t('namespaces.gpuHint')],
    'requests.storage': [t('namespaces.storage'), t('namespaces.storageHint')],
    'count/notebooks.ml.llmos.ai': [t('shell.notebooks'), t('namespaces.countHint')],
    'count/modelservices.ml.llmos.ai': [t('shell.modelServices'), t('namespaces.countHint')],
    pods: [t('namespaces.pods'), t('namespaces.countHint')],
    persistentvolumeclaims: [t('namespaces.volumes'), t('namespaces.countHint')],
  };
  return (
    <div className="quota-fields">
      {QUOTA_FIELDS.map((field) => {
        const value = quota.get(field) ?? '';
        const [label, hint] = labels[field];
        return (
          <TextField
            key={field}
            label={label}
            hint={hint}
            placeholder={t('namespaces.noLimit')}
            value={value}
            isDisabled={isDisabled}
            problem={value !== '' && !isLimit(value) ? t('namespaces.noQuantity') : undefined}
            onChange={(text) => {
              const next = new Map(quota);
              if (text.trim() === '') next.delete(field);
              else next.set(field, text.trim());
              onChange(next);
            }}
          />
        );
      })}
    </div>
  );
}
