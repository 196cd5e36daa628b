import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { may } from '../../api/access';
import { request } from '../../api/client';
import { resourceName, useDiscovery, type ServedResource } from '../../api/discovery';
import type { KubeList } from '../../api/objects';
import { collectionPath } from '../../api/resources';
import { isBrowsable, kindOf } from '../../kinds/kinds';
import { Problem } from '../../ui/Banner';
import { Loading } from '../../ui/Page';
import { Select } from '../../ui/Select';
import { useMedia } from '../../ui/useMedia';
import { EventsTable } from './EventsTable';
import { CreateButton, NoObjects } from './ResourceListPage';
import { ResourceTable } from './ResourceTable';
import { useOne } from './useTitle';
import './resources.css';

/** What happens in a namespace. */
export function NamespaceEvents({ namespace }: { namespace: string }) {
  return <EventsTable namespace={namespace} />;
}

/** Everything in a namespace: each namespaced kind that the server serves. */
export function NamespaceResources({ namespace }: { namespace: string }) {
  const { t } = useTranslation();
  const { served, error } = useDiscovery();
  const kinds = useMemo(() => served && inGroups(served), [served]);
  if (error !== undefined && !kinds) return <Problem error={error} />;
  if (!kinds) return <Loading label={t('common.loading')} />;
  return <Browser key={namespace} kinds={kinds} namespace={namespace} />;
}

const FIRST = 'ml.llmos.ai';

/** The kinds by their group: what people run first, then the rest as the API orders it. */
function inGroups(served: readonly ServedResource[]): Map<string, ServedResource[]> {
  const mine = served.filter((each) => each.namespaced && isBrowsable(each));
  const rank = (group: string) => (group === FIRST ? 0 : group === '' ? 1 : 2);
  const sorted = mine
    .filter((each) => resourceName(each) !== 'events')
    .sort(
      (one, other) =>
        rank(one.group) - rank(other.group) ||
        one.group.localeCompare(other.group) ||
        one.kind.localeCompare(other.kind),
    );
  return Map.groupBy(sorted, (each) => each.group);
}

interface BrowserProps {
  kinds: Map<string, ServedResource[]>;
  namespace: string;
}

function Browser({ kinds, namespace }: BrowserProps) {
  const { t } = useTranslation();
  const one = useOne();
  const narrow = useMedia('(max-width: 860px)');
  const all = useMemo(() => [...kinds.values()].flat(), [kinds]);
  const counts = useCounts(all, namespace);
  const [chosen, setChosen] = useState<string>();
  const resource = all.find((each) => resourceName(each) === chosen) ?? all[0];
  if (!resource) return null;
  const kind = kindOf(resource);
  const namespaces = [namespace];
  const countOf = (each: ServedResource) => counts.get(resourceName(each));
  return (
    <div className="kinds-browser">
      {narrow ? (
        <Select
          label={t('kinds.kind')}
          selected={resourceName(resource)}
          onSelect={setChosen}
          options={all.map((each) => ({
            id: resourceName(each),
            label: `${one(kindOf(each))}${countOf(each) ? ` (${countOf(each) ?? 0})` : ''}`,
          }))}
        />
      ) : (
        <nav className="kinds-list" aria-label={t('kinds.kinds')}>
          {[...kinds].map(([group, resources]) => (
            <section key={group}>
              <p className="sidebar-title">
                <bdi>{group || 'core'}</bdi>
              </p>
              <ul>
                {resources.map((each) => (
                  <li key={resourceName(each)}>
                    <button
                      type="button"
                      className="kinds-item"
                      aria-current={each === resource}
                      onClick={() => setChosen(resourceName(each))}
                    >
                      <bdi className="truncate">{one(kindOf(each))}</bdi>
                      <span className="muted numeric">{countOf(each) ?? ''}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </nav>
      )}
      <div className="kinds-content">
        <ResourceTable
          key={resourceName(resource)}
          kind={kind}
          namespaces={namespaces}
          empty={<NoObjects kind={kind} namespaces={namespaces} />}
          tools={<CreateButton kind={kind} namespaces={namespaces} />}
        />
      </div>
    </div>
  );
}

const AT_ONCE = 4;

/** How many there are of each kind, asked once: a hint where something is, no more. */
function useCounts(
  resources: readonly ServedResource[],
  namespace: string,
): ReadonlyMap<string, number> {
  const [counts, setCounts] = useState<ReadonlyMap<string, number>>(new Map());
  useEffect(() => {
    const stopped = new AbortController();
    const found = new Map<string, number>();
    const left = [...resources];
    const count = async () => {
      for (let each = left.shift(); each && !stopped.signal.aborted; each = left.shift()) {
        try {
          // A list that is refused would be an error in the browser's console.
          if (!(await may({ verb: 'list', resource: each, namespace })).allowed) continue;
          const list = await request<KubeList & { metadata: { remainingItemCount?: number } }>(
            'GET',
            collectionPath(each, namespace),
            { query: { limit: 1 }, signal: stopped.signal },
          );
          found.set(
            resourceName(each),
            list.items.length + (list.metadata.remainingItemCount ?? 0),
          );
        } catch {
          // Not his to see: then there is nothing to count.
        }
      }
    };
    void Promise.all(Array.from({ length: AT_ONCE }, count)).then(() => {
      if (!stopped.signal.aborted) setCounts(found);
    });
    return () => stopped.abort();
  }, [resources, namespace]);
  return counts;
}
