import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

/** What a quota limits, in words; what has none keeps its name. */
export function useQuotaWords(): (resource: string) => string {
  const { t } = useTranslation();
  return useMemo(() => {
    const words = new Map([
      ['cpu', t('namespaces.cpu')],
      ['requests.cpu', t('namespaces.cpu')],
      ['limits.cpu', t('namespaces.cpuLimits')],
      ['memory', t('namespaces.memory')],
      ['requests.memory', t('namespaces.memory')],
      ['limits.memory', t('namespaces.memoryLimits')],
      ['requests.nvidia.com/gpu', t('namespaces.gpu')],
      ['requests.storage', t('namespaces.storage')],
      ['count/notebooks.ml.llmos.ai', t('shell.notebooks')],
      ['count/modelservices.ml.llmos.ai', t('shell.modelServices')],
      ['pods', t('namespaces.pods')],
      ['persistentvolumeclaims', t('namespaces.volumes')],
      ['configmaps', t('shell.configMaps')],
      ['secrets', t('shell.secrets')],
    ]);
    return (resource: string) => words.get(resource) ?? resource;
  }, [t]);
}
