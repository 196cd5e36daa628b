import { Boxes, ChevronsUpDown } from 'lucide-react';
import { useMemo, useState } from 'react';
import { UNSAFE_PortalProvider } from 'react-aria/PortalProvider';
import {
  Dialog,
  DialogTrigger,
  ListBox,
  ListBoxItem,
  Popover,
  ToggleButton,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { useCollection } from '../api/collections';
import { NAMESPACES } from '../api/resources';
import { placeOf, type Namespace } from '../domain/namespaces';
import { Button } from '../ui/Button';
import { SearchField } from '../ui/Fields';
import { useChosenNamespaces } from './chosen';

export function NamespaceSwitcher() {
  const { t } = useTranslation();
  const { names } = useChosenNamespaces();
  const [only] = names;
  const label =
    names.length > 1
      ? t('shell.namespacesChosen', { count: names.length })
      : (only ?? t('shell.allNamespaces'));
  return (
    // In the landmark of what opens it, where a screen reader looks for it.
    <UNSAFE_PortalProvider getContainer={() => document.querySelector<HTMLElement>('.header')}>
      <DialogTrigger>
        <Button
          look="quiet"
          icon={<Boxes aria-hidden />}
          aria-label={`${t('shell.namespace')}: ${label}`}
        >
          <bdi className="truncate switcher-label">{label}</bdi>
          <ChevronsUpDown aria-hidden />
        </Button>
        <Popover className="popover switcher" placement="bottom start" offset={4}>
          <Dialog className="switcher-dialog" aria-label={t('shell.chooseNamespaces')}>
            <Choice />
          </Dialog>
        </Popover>
      </DialogTrigger>
    </UNSAFE_PortalProvider>
  );
}

const order = { mine: 0, public: 1, system: 2 } as const;
/** More is not looked through but filtered. */
const MOST = 100;

function Choice() {
  const { t } = useTranslation();
  const { names, choose } = useChosenNamespaces();
  const { items } = useCollection<Namespace>(NAMESPACES);
  const [filter, setFilter] = useState('');
  const found = useMemo(() => {
    const word = filter.trim().toLowerCase();
    return items
      .filter((each) => each.metadata.name.includes(word))
      .map((each) => ({ id: each.metadata.name, place: order[placeOf(each)] }))
      .sort((one, other) => one.place - other.place || (one.id < other.id ? -1 : 1));
  }, [items, filter]);
  const more = found.length - MOST;
  const shown = useMemo(() => {
    const first = found.slice(0, MOST);
    const there = new Set(first.map((each) => each.id));
    // What is chosen is always there, to be unchosen.
    return [...names.filter((each) => !there.has(each)).map((id) => ({ id })), ...first];
  }, [found, names]);
  return (
    <>
      <SearchField label={t('shell.chooseNamespaces')} value={filter} onChange={setFilter} />
      <ToggleButton
        className="menu-item"
        isSelected={names.length === 0}
        onChange={() => choose([])}
      >
        <span>{t('shell.allNamespaces')}</span>
      </ToggleButton>
      <ListBox
        className="switcher-list"
        aria-label={t('shell.chooseNamespaces')}
        items={shown}
        selectionMode="multiple"
        selectedKeys={names}
        onSelectionChange={(keys) => choose(keys === 'all' ? [] : [...keys].map(String))}
      >
        {(each) => (
          <ListBoxItem className="menu-item" textValue={each.id}>
            <bdi className="truncate">{each.id}</bdi>
          </ListBoxItem>
        )}
      </ListBox>
      {more > 0 && (
        <p className="muted switcher-more">{t('shell.moreNamespaces', { count: more })}</p>
      )}
    </>
  );
}
