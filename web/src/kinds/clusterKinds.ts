/** The cluster-wide kinds that have a page of their own. */

import { Cpu, HardDrive, Server } from 'lucide-react';

import type { KubeObject } from '../api/objects';
import { GPU_DEVICES, NODES, STORAGE_CLASSES } from '../api/resources';
import { quantity } from '../domain/quota';
import { column, computed } from './columns';
import type { Kind } from './kind';
import { at, listAt, numberAt, textAt } from './reading';
import { conditionsOf, generalState, stateOfWord, type ObjectState } from './state';

function nodeState(object: KubeObject): ObjectState {
  const found = conditionsOf(object).find((each) => each.type === 'Ready');
  const isReady = found?.status === 'True';
  if (isReady && at(object, 'spec', 'unschedulable') === true) return stateOfWord('Cordoned');
  return isReady ? stateOfWord('Ready') : stateOfWord('NotReady', found?.message);
}

/** The memory for pods, as people count it. */
function memoryOf(object: KubeObject): string {
  const text = textAt(object, 'status', 'allocatable', 'memory');
  const bytes = quantity(text);
  return Number.isNaN(bytes) ? text : gibibytes(bytes / 2 ** 30);
}

const gibibytes = (count: number) => `${Math.round(count * 10) / 10} GiB`;

const ROLE_LABEL = 'node-role.kubernetes.io/';
const nodes: Kind = {
  resource: NODES,
  title: 'kinds.nodes.title',
  one: 'kinds.nodes.one',
  found: true,
  lead: 'kinds.nodes.lead',
  empty: 'kinds.nodes.empty',
  icon: Server,
  columns: [
    computed(
      'roles',
      'kinds.columns.roles',
      (object) =>
        Object.keys(object.metadata.labels ?? {})
          .filter((each) => each.startsWith(ROLE_LABEL))
          .map((each) => each.slice(ROLE_LABEL.length))
          .join(', '),
      { from: 'medium' },
    ),
    column('cpu', 'kinds.columns.cpu', ['status', 'allocatable', 'cpu'], { width: '80px' }),
    computed('memory', 'kinds.columns.memory', memoryOf, {
      from: 'medium',
      width: '130px',
    }),
    column('gpus', 'kinds.columns.gpus', ['status', 'allocatable', 'nvidia.com/gpu'], {
      from: 'medium',
      width: '80px',
    }),
    column('version', 'kinds.columns.version', ['status', 'nodeInfo', 'kubeletVersion'], {
      from: 'wide',
    }),
  ],
  state: nodeState,
  hasState: true,
  form: undefined,
  template: () => ({ metadata: { name: '' }, spec: {} }),
  hidden: [],
  data: undefined,
};

function deviceState(object: KubeObject): ObjectState {
  const word = textAt(object, 'status', 'state');
  if (word) return stateOfWord(word);
  const health = at(object, 'status', 'health');
  return stateOfWord(health === true ? 'Healthy' : health === false ? 'Unhealthy' : 'Unknown');
}

const gpuDevices: Kind = {
  resource: GPU_DEVICES,
  title: 'kinds.gpuDevices.title',
  one: 'kinds.gpuDevices.one',
  found: true,
  lead: 'kinds.gpuDevices.lead',
  empty: 'kinds.gpuDevices.empty',
  icon: Cpu,
  columns: [
    column('device', 'kinds.columns.device', ['status', 'devName']),
    column('vendor', 'kinds.columns.vendor', ['status', 'vendor'], {
      from: 'wide',
      width: '110px',
    }),
    column('node', 'kinds.columns.node', ['status', 'nodeName'], { from: 'medium', below: true }),
    computed(
      'vram',
      'kinds.columns.vram',
      (object) => {
        const megabytes = numberAt(object, 'status', 'vram');
        return megabytes === undefined ? '' : gibibytes(megabytes / 1024);
      },
      { width: '100px' },
    ),
    computed('pods', 'kinds.columns.pods', (object) => listAt(object, 'status', 'pods').length, {
      from: 'medium',
      width: '80px',
    }),
  ],
  state: deviceState,
  hasState: true,
  form: undefined,
  template: () => ({ metadata: { name: '' }, spec: {} }),
  hidden: [],
  data: undefined,
};

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const storageClasses: Kind = {
  resource: STORAGE_CLASSES,
  title: 'kinds.storageClasses.title',
  one: 'kinds.storageClasses.one',
  lead: 'kinds.storageClasses.lead',
  empty: 'kinds.storageClasses.empty',
  icon: HardDrive,
  columns: [
    column('provisioner', 'kinds.columns.provisioner', ['provisioner'], {
      mono: true,
      below: true,
    }),
    column('default', 'kinds.columns.default', ['metadata', 'annotations', DEFAULT_CLASS], {
      from: 'medium',
      width: '100px',
      words: { true: 'common.yes', false: 'common.no' },
    }),
    column('reclaim', 'kinds.columns.reclaim', ['reclaimPolicy'], {
      from: 'medium',
      width: '110px',
    }),
    column('binding', 'kinds.columns.binding', ['volumeBindingMode'], { from: 'wide' }),
  ],
  state: generalState,
  hasState: false,
  form: undefined,
  template: () => ({
    metadata: { name: '' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  }),
  hidden: [],
  data: undefined,
};

export const CLUSTER_KINDS: readonly Kind[] = [nodes, gpuDevices, storageClasses];
