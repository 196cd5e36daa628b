import { useNavigate } from '@tanstack/react-router';
import { Download, Ellipsis, FileCode, Pencil, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import type { KubeObject } from '../../api/objects';
import type { Kind } from '../../kinds/kind';
import { IconButton } from '../../ui/Button';
import { downloadYaml } from '../../ui/download';
import { Actions, AskingMenu, type MenuAction } from '../../ui/Menu';
import { useWhyNot } from '../../ui/useWhyNot';
import { placeOfObject } from './places';

interface Props {
  kind: Kind;
  object: KubeObject;
  onDelete: (object: KubeObject) => void;
}

/** What can be done with one object. */
export function RowMenu(props: Props) {
  const { t } = useTranslation();
  const label = t('common.actionsOf', { name: props.object.metadata.name });
  return (
    <AskingMenu trigger={<IconButton size="small" label={label} icon={<Ellipsis aria-hidden />} />}>
      <Content {...props} label={label} />
    </AskingMenu>
  );
}

/** Made only while the menu is open, so that a list does not ask for the rights of all its rows. */
function Content({ kind, object, onDelete, label }: Props & { label: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { resource } = kind;
  const whyNot = useWhyNot();
  const { name, namespace } = object.metadata;
  const place = { resource, name, ...(namespace !== undefined && { namespace }) };
  const mayDelete = useMay({ verb: 'delete', ...place });
  const mayUpdate = useMay({ verb: 'update', ...place });
  const edit: MenuAction[] = kind.form
    ? [
        {
          id: 'edit',
          label: t('common.edit'),
          icon: <Pencil aria-hidden />,
          why: whyNot(mayUpdate),
          onAction: () => void navigate(placeOfObject(resource, object, 'edit')),
        },
      ]
    : [];
  const actions: MenuAction[] = [
    ...edit,
    {
      id: 'yaml',
      label: mayUpdate.allowed === false ? t('kinds.viewYaml') : t('common.editYaml'),
      icon: <FileCode aria-hidden />,
      onAction: () => void navigate(placeOfObject(resource, object, 'yaml')),
    },
    {
      id: 'download',
      label: t('common.downloadYaml'),
      icon: <Download aria-hidden />,
      onAction: () => void downloadYaml(resource, [object]),
    },
    {
      id: 'delete',
      label: t('common.delete'),
      icon: <Trash2 aria-hidden />,
      danger: true,
      why: whyNot(mayDelete),
      onAction: () => onDelete(object),
    },
  ];
  return <Actions label={label} actions={() => actions} />;
}
