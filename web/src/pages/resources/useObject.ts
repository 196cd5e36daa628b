import { useEffect, useState } from 'react';

import type { KubeObject } from '../../api/objects';
import { getObject, type Resource } from '../../api/resources';
import { useList } from './useList';

export interface Looked {
  object: KubeObject | undefined;
  loading: boolean;
  error: unknown;
  /** It was there, and somebody deleted it. */
  gone: boolean;
}

/** One object, live; who may not list its kind gets it once. */
export function useObject(resource: Resource, name: string, namespace?: string): Looked {
  const { byKey, freshness } = useList(resource, namespace);
  const refused = freshness === 'refused';
  const [got, setGot] = useState<{ object?: KubeObject; error?: unknown }>({});
  const [seen, setSeen] = useState(false);

  useEffect(() => {
    if (!refused) return undefined;
    let current = true;
    getObject(resource, name, namespace).then(
      (object) => {
        if (current) setGot({ object });
      },
      (error: unknown) => {
        if (current) setGot({ error });
      },
    );
    return () => {
      current = false;
    };
  }, [refused, resource, name, namespace]);

  const live = byKey.get(namespace === undefined ? name : `${namespace}/${name}`);
  if (live && !seen) setSeen(true);
  const object = refused ? got.object : live;
  return {
    object,
    loading: !object && (freshness === 'loading' || (refused && got.error === undefined)),
    error: refused ? got.error : undefined,
    gone: !object && seen && !refused && freshness !== 'loading',
  };
}
