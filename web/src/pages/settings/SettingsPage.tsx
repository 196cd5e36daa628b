import { Pencil, SlidersHorizontal } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useMay } from '../../api/access';
import { collectionOf, useCollection } from '../../api/collections';
import { uidOf, type Condition, type KubeObject } from '../../api/objects';
import { mergePatch, SETTINGS } from '../../api/resources';
import { useDescription } from '../../i18n/platform';
import { Tag, UserText } from '../../ui/Badge';
import { Button, IconButton } from '../../ui/Button';
import { FormDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Fields';
import { FilteredTable } from '../../ui/FilteredTable';
import { Listed } from '../../ui/Listed';
import { Empty, Page } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import { toast } from '../../ui/toasts';
import type { Sort } from '../../ui/useRows';
import { useWhyNot } from '../../ui/useWhyNot';
import '../resources/resources.css';

interface Setting extends KubeObject {
  value?: string;
  default?: string;
  customized?: boolean;
  status?: { conditions?: Condition[] };
}

/** What counts: the value, or the default as long as there is none. */
const inForce = ({ value = '', default: byDefault = '' }: Setting) =>
  value === '' ? byDefault : value;
const nameOf = (setting: Setting) => setting.metadata.name;
const byName: Sort = { column: 'name', descending: false };

/** What holds for the whole platform: everybody reads it, administrators change it. */
export function SettingsPage() {
  const { t } = useTranslation();
  const { items, freshness, error } = useCollection<Setting>(SETTINGS);
  return (
    <Page title={t('settings.title')} lead={t('settings.lead')} fill>
      <Listed {...{ freshness, error }}>
        <Settings settings={items} />
      </Listed>
    </Page>
  );
}

function Settings({ settings }: { settings: readonly Setting[] }) {
  const { t } = useTranslation();
  const columns = useColumns();
  const whyNot = useWhyNot();
  const why = whyNot(useMay({ verb: 'update', resource: SETTINGS }));
  const [editing, setEditing] = useState<Setting>();
  return (
    <>
      <FilteredTable
        by={byName}
        tools={why !== undefined && <span className="muted">{t('settings.readOnly')}</span>}
        label={t('settings.title')}
        rows={settings}
        columns={columns}
        rowId={uidOf}
        rowName={nameOf}
        menu={(row) => (
          <IconButton
            size="small"
            label={t('settings.edit', { name: nameOf(row) })}
            icon={<Pencil aria-hidden />}
            isDisabled={why !== undefined}
            onPress={() => setEditing(row)}
          />
        )}
        empty={
          <Empty
            icon={<SlidersHorizontal aria-hidden />}
            title={t('settings.none')}
            hint={t('settings.noneHint')}
          />
        }
      />
      {editing && <EditSetting setting={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

function useColumns(): Column<Setting>[] {
  const { t } = useTranslation();
  const descriptionOf = useDescription();
  return useMemo(
    () => [
      {
        id: 'name',
        header: t('common.name'),
        width: '22%',
        sortBy: nameOf,
        text: nameOf,
        cell: (row) => (
          <span className="mono">
            <UserText>{nameOf(row)}</UserText>
          </span>
        ),
        below: (row) => <UserText>{inForce(row)}</UserText>,
      },
      {
        id: 'description',
        header: t('common.description'),
        from: 'medium',
        sortBy: descriptionOf,
        text: descriptionOf,
        cell: (row) => <UserText>{descriptionOf(row)}</UserText>,
      },
      {
        id: 'value',
        header: t('settings.value'),
        from: 'medium',
        width: '20%',
        sortBy: inForce,
        text: inForce,
        cell: (row) => (
          <span className="mono">
            <UserText>{inForce(row) || '–'}</UserText>
          </span>
        ),
      },
      {
        id: 'source',
        header: t('settings.source'),
        width: '120px',
        sortBy: (row) => Number(Boolean(row.value)),
        cell: (row) =>
          row.value ? (
            <Tag tone="accent">{t('settings.changed')}</Tag>
          ) : (
            <Tag>{t('settings.default')}</Tag>
          ),
      },
    ],
    [t, descriptionOf],
  );
}

function EditSetting({ setting, onClose }: { setting: Setting; onClose: () => void }) {
  const { t } = useTranslation();
  const name = nameOf(setting);
  const [value, setValue] = useState(setting.value ?? '');
  const description = useDescription()(setting);
  const submit = async () => {
    const patch = {
      metadata: { resourceVersion: setting.metadata.resourceVersion },
      value,
      customized: value !== '',
    };
    collectionOf<Setting>(SETTINGS).put(await mergePatch<Setting>(SETTINGS, setting, patch));
    toast({ tone: 'ok', title: t('common.saved', { name }) });
  };
  return (
    <FormDialog
      title={<bdi>{t('settings.edit', { name })}</bdi>}
      open
      onClose={onClose}
      submit={t('common.save')}
      ready={value !== (setting.value ?? '')}
      onSubmit={submit}
    >
      {description !== '' && (
        <p>
          <bdi>{description}</bdi>
        </p>
      )}
      <TextField
        label={t('settings.value')}
        value={value}
        onChange={setValue}
        mono
        autoComplete="off"
        {...(setting.default && {
          placeholder: setting.default,
          hint: t('settings.defaultIs', { value: setting.default }),
        })}
        // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog is about filling this in
        autoFocus
      />
      {value !== '' && (
        <div>
          <Button size="small" onPress={() => setValue('')}>
            {t('settings.toDefault')}
          </Button>
        </div>
      )}
    </FormDialog>
  );
}
