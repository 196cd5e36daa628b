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
    // On a narrow page the tabs scroll; the chosen one is in sight, once it is drawn.
    const frame = requestAnimationFrame(() => {
      const box = list.current;
      const tab = box?.querySelector<HTMLElement>('[data-selected]');
      if (!box || !tab) return;
      const end = tab.offsetLeft + tab.offsetWidth;
      if (end > box.scrollLeft + box.clientWidth) box.scrollLeft = end - box.clientWidth;
      if (tab.offsetLeft < box.scrollLeft) box.scrollLeft = tab.offsetLeft;
    });
    return () => cancelAnimationFrame(frame);
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
