import { useContext, useLayoutEffect, useRef, type ReactNode } from 'react';
import { UNSAFE_PortalProvider } from 'react-aria/PortalProvider';
import { ComboBoxStateContext, Popover } from 'react-aria-components';

import './menu.css';

/** What opens under the field of a combo box: its list, in the landmark that the field is in. */
export function Suggestions({ children }: { children: ReactNode }) {
  const place = useRef<HTMLSpanElement>(null);
  useNothingHidden(useContext(ComboBoxStateContext)?.isOpen ?? false);
  return (
    <UNSAFE_PortalProvider
      getContainer={() => place.current?.closest<HTMLElement>('[role=dialog], main') ?? null}
    >
      <span ref={place} hidden />
      <Popover className="popover select-popover" offset={4}>
        {children}
      </Popover>
    </UNSAFE_PortalProvider>
  );
}

/**
 * Keeps what is beside an open list there for everybody.
 *
 * React Aria hides it from screen readers, but not from the Tab key: the focus would get to what for
 * them is not there (https://github.com/adobe/react-spectrum/issues/4937). What is under a dialog is
 * `inert`, and stays so.
 */
function useNothingHidden(open: boolean): void {
  useLayoutEffect(() => {
    if (!open) return undefined;
    const observer = new MutationObserver((changes) => {
      for (const { target, oldValue } of changes) {
        if (oldValue !== 'true') (target as Element).removeAttribute('aria-hidden');
      }
    });
    observer.observe(document.body, {
      subtree: true,
      attributes: true,
      attributeFilter: ['aria-hidden'],
      attributeOldValue: true,
    });
    return () => observer.disconnect();
  }, [open]);
}
