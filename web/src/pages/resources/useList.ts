import { useMayYet } from '../../api/access';
import { useCollectionIf } from '../../api/collections';
import type { Snapshot } from '../../api/collection';
import type { KubeObject } from '../../api/objects';
import type { Resource } from '../../api/resources';

export interface List extends Snapshot<KubeObject> {
  /** Why one may not see it; undefined: one may. */
  why: string | undefined;
}

/**
 * A collection, once the server said that one may see it.
 *
 * Of all namespaces at once it is not asked: there everybody sees what he may.
 */
export function useList(resource: Resource, namespace?: string): List {
  const everywhere = resource.namespaced && namespace === undefined;
  const answer = useMayYet({
    verb: 'list',
    resource,
    ...(namespace !== undefined && { namespace }),
  });
  const wanted = everywhere || answer.allowed === true || answer.failed === true;
  const list = useCollectionIf<KubeObject>(wanted, resource, namespace);
  if (wanted) return { ...list, why: undefined };
  const refused = answer.allowed === false;
  return {
    ...list,
    freshness: refused ? 'refused' : 'loading',
    why: refused ? answer.reason : undefined,
  };
}
