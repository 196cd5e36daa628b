/** Fields of forms that several kinds have. */

import type { ParseKeys } from 'i18next';

import { quantity } from '../domain/quota';
import { GPU } from './columns';
import type { KindField } from './kind';
import { numberAt, textAt, withAt, type Path } from './reading';

type TextField = Extract<KindField, { input: 'text' }>;
type Texts = Omit<TextField, 'id' | 'label' | 'input' | 'get' | 'set'>;

/** Text at a path; empty text takes the place away. */
export function textField(id: string, label: ParseKeys, path: Path, more: Texts = {}): TextField {
  return {
    id,
    label,
    input: 'text',
    get: (manifest) => textAt(manifest, ...path),
    set: (manifest, value) => withAt(manifest, path, value === '' ? undefined : value),
    ...more,
  };
}

/** A whole number at a path. */
export function countField(id: string, label: ParseKeys, path: Path, more: Texts = {}): TextField {
  return {
    ...textField(id, label, path, more),
    get: (manifest) => {
      const found = numberAt(manifest, ...path);
      return found === undefined ? textAt(manifest, ...path) : String(found);
    },
    set: (manifest, value) =>
      withAt(
        manifest,
        path,
        value === '' ? undefined : /^\d{1,9}$/.test(value) ? Number(value) : value,
      ),
    problem: (value) => (/^\d{0,9}$/.test(value) ? undefined : 'kinds.problems.count'),
  };
}

const CONTAINER: Path = ['spec', 'template', 'spec', 'containers', 0];
const LIMITS: Path = [...CONTAINER, 'resources', 'limits'];
const REQUESTS: Path = [...CONTAINER, 'resources', 'requests'];

const quantityProblem = (value: string): ParseKeys | undefined =>
  value === '' || quantity(value) >= 0 ? undefined : 'kinds.problems.quantity';

/** How much of something the first container gets: its limit, and as much is set aside for it. */
function sizeField(id: string, label: ParseKeys, name: string, more: Texts): TextField {
  return {
    id,
    label,
    input: 'text',
    get: (manifest) => textAt(manifest, ...LIMITS, name) || textAt(manifest, ...REQUESTS, name),
    set: (manifest, value) => {
      const next = value === '' ? undefined : value;
      return withAt(withAt(manifest, [...LIMITS, name], next), [...REQUESTS, name], next);
    },
    problem: quantityProblem,
    ...more,
  };
}

export const cpu = sizeField('cpu', 'kinds.fields.cpu', 'cpu', {
  placeholder: '2',
  hint: 'kinds.fields.cpuHint',
});
export const memory = sizeField('memory', 'kinds.fields.memory', 'memory', {
  placeholder: '4Gi',
  hint: 'kinds.fields.memoryHint',
});
export const gpus = sizeField('gpus', 'kinds.fields.gpus', GPU, {
  placeholder: '0',
  hint: 'kinds.fields.gpusHint',
  problem: (value) => (/^\d{0,4}$/.test(value) ? undefined : 'kinds.problems.count'),
});
export const image = textField('image', 'kinds.fields.image', [...CONTAINER, 'image'], {
  mono: true,
  required: true,
});
export const replicas = countField('replicas', 'kinds.fields.replicas', ['spec', 'replicas'], {
  hint: 'kinds.fields.replicasHint',
  placeholder: '1',
});
export { quantityProblem };
