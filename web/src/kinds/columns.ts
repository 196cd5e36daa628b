/** Columns that several kinds have. */

import type { ParseKeys } from 'i18next';

import type { KubeObject } from '../api/objects';
import type { KindColumn } from './kind';
import { at, listAt, textAt, type Path } from './reading';
import { replicas } from './state';

type More = Omit<KindColumn, 'id' | 'header' | 'value'>;

/** A column of the text at a path. */
export function column(id: string, header: ParseKeys, path: Path, more: More = {}): KindColumn {
  return { id, header, value: (object) => textAt(object, ...path), ...more };
}

export function computed(
  id: string,
  header: ParseKeys,
  value: (object: KubeObject) => string | number,
  more: More = {},
): KindColumn {
  return { id, header, value, ...more };
}

const CONTAINER: Path = ['spec', 'template', 'spec', 'containers', 0];
export const GPU = 'nvidia.com/gpu';

export const image = column('image', 'kinds.columns.image', [...CONTAINER, 'image'], {
  from: 'wide',
  width: '14%',
  mono: true,
});
export const ready = computed('ready', 'kinds.columns.ready', replicas, { width: '78px' });

/** CPU, memory and GPUs that one replica gets, in short. */
export const size = computed('size', 'kinds.columns.size', sizeOf, {
  from: 'medium',
  width: '184px',
});

export function sizeOf(object: object): string {
  const limit = (name: string) =>
    textAt(object, ...CONTAINER, 'resources', 'limits', name) ||
    textAt(object, ...CONTAINER, 'resources', 'requests', name);
  const [cpu, memory, gpus] = [limit('cpu'), limit('memory'), limit(GPU)];
  return [cpu && `${cpu} CPU`, memory, gpus && `${gpus} GPU`].filter(Boolean).join(' · ');
}

/** How many keys a map has, in whatever fields. */
export function keysIn(object: KubeObject, ...fields: readonly string[]): number {
  return fields.reduce((count, field) => count + Object.keys(at(object, field) ?? {}).length, 0);
}

/** The ports of a Service, as kubectl writes them. */
export function portsOf(object: KubeObject): string {
  return listAt(object, 'spec', 'ports')
    .map((each) => `${textAt(each, 'port')}/${textAt(each, 'protocol') || 'TCP'}`)
    .join(', ');
}

export function subjectsOf(object: KubeObject): string {
  return listAt(object, 'subjects')
    .map((each) => textAt(each, 'name'))
    .join(', ');
}
