/** The namespaces that are chosen in the header: every list obeys them. They stand in the address. */

import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

export interface Chosen {
  /** Empty: all. */
  readonly names: readonly string[];
  choose: (names: readonly string[]) => void;
}

export function useChosenNamespaces(): Chosen {
  const search: { ns?: string } = useSearch({ strict: false });
  const navigate = useNavigate();
  const names = useMemo(() => (search.ns ?? '').split(',').filter(Boolean), [search.ns]);
  const choose = useCallback(
    (next: readonly string[]) => {
      const ns = next.join(',');
      void navigate({
        to: '.',
        search: (before: Record<string, unknown>) => ({
          ...before,
          ns: ns === '' ? undefined : ns,
        }),
        replace: true,
      } as unknown as Parameters<typeof navigate>[0]);
    },
    [navigate],
  );
  return { names, choose };
}
