import { useTranslation } from 'react-i18next';

import { granterOf, type RoleTemplateBinding } from '../../../domain/members';
import { Age } from '../../../ui/Age';

/** Who gave somebody his role, and how long ago. */
export function Granter({ binding }: { binding: RoleTemplateBinding | undefined }) {
  const { t } = useTranslation();
  if (binding === undefined) return null;
  const name = granterOf(binding);
  return (
    <span className="granter">
      {name === '' ? (
        <span className="truncate">{t('namespaces.thePlatform')}</span>
      ) : (
        <bdi className="truncate" title={name}>
          {name}
        </bdi>
      )}
      <span className="muted">
        <Age of={binding.metadata.creationTimestamp} />
      </span>
    </span>
  );
}
