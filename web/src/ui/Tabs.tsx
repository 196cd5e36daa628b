import { useEffect, useRef, type ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components';

import './tabs.css';

export interface TabItem<Id extends string> {
  id: Id;
  label: string;
  count?: number;
}

/** Tabs over one panel, whose content is that of the chosen tab. */
export function Tabs<Id extends string>(props: {
  label: string;
  items: readonly TabItem<Id>[];
  selected: Id;
  onSelect: (id: Id) => void;
  children: ReactNode;
}) {
  const { label, items, selected, onSelect, children } = props;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a narrow page the tabs scroll; the chosen one is in sight.
    const tab = list.current?.querySelector('[data-selected]');
    if (tab instanceof HTMLElement && list.current) {
      const { offsetLeft, offsetWidth } = tab;
      const { clientWidth, scrollLeft } = list.current;
      if (offsetLeft + offsetWidth > scrollLeft + clientWidth || offsetLeft < scrollLeft) {
        list.current.scrollLeft = offsetLeft + offsetWidth - clientWidth + 24;
      }
    }
  }, [selected]);
  return (
    <AriaTabs
      className="tabs"
      selectedKey={selected}
      onSelectionChange={(key) => onSelect(key as Id)}
    >
      <TabList ref={list} className="tab-list" aria-label={label}>
        {items.map((each) => (
          <Tab key={each.id} id={each.id} className="tab">
            {each.label}
            {each.count !== undefined && <span className="tab-count numeric">{each.count}</span>}
          </Tab>
        ))}
      </TabList>
      {items.map((each) => (
        <TabPanel key={each.id} id={each.id} className="tab-panel">
          {children}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
