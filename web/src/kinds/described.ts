/** The kinds that have a page of their own, one description each. */

import {
  BrainCircuit,
  Cpu,
  FileSliders,
  HardDrive,
  KeyRound,
  NotebookPen,
  Server,
} from 'lucide-react';

import {
  CONFIG_MAPS,
  GPU_DEVICES,
  MODEL_SERVICES,
  NODES,
  NOTEBOOKS,
  SECRETS,
  STORAGE_CLASSES,
} from '../api/resources';
import { column, computed, image as imageColumn, keysIn, ready, size } from './columns';
import * as fields from './fields';
import type { Kind, KindField } from './kind';
import { at, listAt, numberAt, textAt, withAt, type Path } from './reading';
import { conditionsOf, generalState, replicaState, stateOfWord, type ObjectState } from './state';
import type { KubeObject } from '../api/objects';

const TYPE: Path = ['metadata', 'labels', 'ml.llmos.ai/notebook-type'];
const HOME: Path = ['spec', 'volumeClaimTemplates', 0, 'spec', 'resources', 'requests', 'storage'];

const notebookType: KindField = {
  id: 'type',
  label: 'kinds.fields.notebookType',
  input: 'choice',
  choices: [
    { value: 'jupyter', label: 'Jupyter' },
    { value: 'code-server', label: 'VS Code' },
    { value: 'rstudio', label: 'RStudio' },
  ],
  get: (manifest) => textAt(manifest, ...TYPE) || 'jupyter',
  set: (manifest, value) => withAt(manifest, TYPE, value),
};

const notebooks: Kind = {
  resource: NOTEBOOKS,
  title: 'kinds.notebooks.title',
  lead: 'kinds.notebooks.lead',
  empty: 'kinds.notebooks.empty',
  icon: NotebookPen,
  columns: [
    column('type', 'kinds.columns.type', TYPE, { from: 'medium', width: '108px' }),
    imageColumn,
    size,
    ready,
  ],
  state: replicaState,
  hasState: true,
  form: {
    fields: [
      notebookType,
      { ...fields.image, placeholder: 'jupyter/scipy-notebook:latest' },
      fields.cpu,
      fields.memory,
      fields.gpus,
      fields.textField('home', 'kinds.fields.home', HOME, {
        hint: 'kinds.fields.homeHint',
        placeholder: '10Gi',
        fixed: true,
        problem: fields.quantityProblem,
      }),
      {
        id: 'running',
        label: 'kinds.fields.running',
        hint: 'kinds.fields.runningHint',
        input: 'switch',
        get: (manifest) => numberAt(manifest, 'spec', 'replicas') !== 0,
        set: (manifest, value) => withAt(manifest, ['spec', 'replicas'], value ? 1 : 0),
      },
    ],
  },
  template: (namespace) => ({
    metadata: { name: '', namespace, labels: { 'ml.llmos.ai/notebook-type': 'jupyter' } },
    spec: {
      replicas: 1,
      template: {
        spec: {
          containers: [
            {
              name: 'notebook',
              resources: {
                requests: { cpu: '1', memory: '2Gi' },
                limits: { cpu: '1', memory: '2Gi' },
              },
              volumeMounts: [{ name: 'home-dir', mountPath: '/home/jovyan' }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'home-dir' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '10Gi' } },
          },
        },
      ],
    },
  }),
  hidden: [],
  data: undefined,
};

const modelServices: Kind = {
  resource: MODEL_SERVICES,
  title: 'kinds.modelServices.title',
  lead: 'kinds.modelServices.lead',
  empty: 'kinds.modelServices.empty',
  icon: BrainCircuit,
  columns: [
    column('model', 'kinds.columns.model', ['spec', 'model'], { mono: true }),
    column('registry', 'kinds.columns.registry', ['spec', 'modelRegistry'], {
      from: 'wide',
      width: '130px',
    }),
    size,
    ready,
  ],
  state: replicaState,
  hasState: true,
  form: {
    fields: [
      fields.textField('model', 'kinds.fields.model', ['spec', 'model'], {
        hint: 'kinds.fields.modelHint',
        placeholder: 'Qwen/Qwen2.5-7B-Instruct',
        mono: true,
        required: true,
      }),
      {
        id: 'registry',
        label: 'kinds.fields.registry',
        input: 'choice',
        choices: [
          { value: 'huggingface', label: 'Hugging Face' },
          { value: 'modelscope', label: 'ModelScope' },
          { value: 'local', label: 'Local', say: 'kinds.fields.local' },
        ],
        get: (manifest) => textAt(manifest, 'spec', 'modelRegistry') || 'huggingface',
        set: (manifest, value) => withAt(manifest, ['spec', 'modelRegistry'], value),
      },
      fields.textField('servedName', 'kinds.fields.servedName', ['spec', 'servedModelName'], {
        hint: 'kinds.fields.servedNameHint',
      }),
      { ...fields.image, placeholder: 'vllm/vllm-openai:latest' },
      fields.cpu,
      fields.memory,
      fields.gpus,
      fields.replicas,
    ],
  },
  template: (namespace) => ({
    metadata: { name: '', namespace },
    spec: {
      modelRegistry: 'huggingface',
      replicas: 1,
      template: {
        spec: {
          containers: [
            {
              name: 'server',
              image: 'vllm/vllm-openai:latest',
              resources: {
                requests: { cpu: '4', memory: '16Gi', 'nvidia.com/gpu': '1' },
                limits: { cpu: '4', memory: '16Gi', 'nvidia.com/gpu': '1' },
              },
            },
          ],
        },
      },
    },
  }),
  hidden: [],
  data: undefined,
};

const configMaps: Kind = {
  resource: CONFIG_MAPS,
  title: 'kinds.configMaps.title',
  lead: 'kinds.configMaps.lead',
  empty: 'kinds.configMaps.empty',
  icon: FileSliders,
  columns: [
    computed('keys', 'kinds.columns.keys', (object) => keysIn(object, 'data', 'binaryData'), {
      width: '90px',
      listOnly: true,
    }),
    computed(
      'keyNames',
      'kinds.columns.keyNames',
      (object) => Object.keys(at(object, 'data') ?? {}).join(', '),
      { from: 'medium', mono: true, listOnly: true },
    ),
  ],
  state: generalState,
  hasState: false,
  form: {
    fields: [{ id: 'data', label: 'kinds.fields.data', input: 'data', secret: false }],
  },
  template: (namespace) => ({ metadata: { name: '', namespace }, data: { key: 'value' } }),
  hidden: [],
  data: 'plain',
};

const secretTypes = [
  { value: 'Opaque', label: 'Opaque', say: 'kinds.secretTypes.opaque' },
  { value: 'kubernetes.io/basic-auth', label: 'basic-auth', say: 'kinds.secretTypes.basicAuth' },
  { value: 'kubernetes.io/ssh-auth', label: 'ssh-auth', say: 'kinds.secretTypes.sshAuth' },
  { value: 'kubernetes.io/tls', label: 'tls', say: 'kinds.secretTypes.tls' },
  {
    value: 'kubernetes.io/dockerconfigjson',
    label: 'dockerconfigjson',
    say: 'kinds.secretTypes.docker',
  },
] as const;

const secrets: Kind = {
  resource: SECRETS,
  title: 'kinds.secrets.title',
  lead: 'kinds.secrets.lead',
  empty: 'kinds.secrets.empty',
  icon: KeyRound,
  columns: [
    column('type', 'kinds.columns.type', ['type'], { from: 'medium', mono: true }),
    computed('keys', 'kinds.columns.keys', (object) => keysIn(object, 'data'), {
      width: '90px',
      listOnly: true,
    }),
    computed(
      'keyNames',
      'kinds.columns.keyNames',
      (object) => Object.keys(at(object, 'data') ?? {}).join(', '),
      { from: 'wide', mono: true, listOnly: true },
    ),
  ],
  state: generalState,
  hasState: false,
  form: {
    fields: [
      {
        id: 'type',
        label: 'kinds.fields.secretType',
        hint: 'kinds.fields.secretTypeHint',
        input: 'choice',
        fixed: true,
        choices: secretTypes,
        get: (manifest) => textAt(manifest, 'type') || 'Opaque',
        set: (manifest, value) => withAt(manifest, ['type'], value),
      },
      { id: 'data', label: 'kinds.fields.data', input: 'data', secret: true },
    ],
  },
  template: (namespace) => ({
    metadata: { name: '', namespace },
    type: 'Opaque',
    data: { key: '' },
  }),
  hidden: [
    ['data'],
    ['stringData'],
    ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
  ],
  data: 'secret',
};

function nodeState(object: KubeObject): ObjectState {
  const found = conditionsOf(object).find((each) => each.type === 'Ready');
  const isReady = found?.status === 'True';
  if (isReady && at(object, 'spec', 'unschedulable') === true) return stateOfWord('Cordoned');
  return isReady ? stateOfWord('Ready') : stateOfWord('NotReady', found?.message);
}

const ROLE_LABEL = 'node-role.kubernetes.io/';
const nodes: Kind = {
  resource: NODES,
  title: 'kinds.nodes.title',
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
    column('memory', 'kinds.columns.memory', ['status', 'allocatable', 'memory'], {
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
  lead: 'kinds.gpuDevices.lead',
  empty: 'kinds.gpuDevices.empty',
  icon: Cpu,
  columns: [
    column('device', 'kinds.columns.device', ['status', 'devName']),
    column('vendor', 'kinds.columns.vendor', ['status', 'vendor'], {
      from: 'wide',
      width: '110px',
    }),
    column('node', 'kinds.columns.node', ['status', 'nodeName'], { from: 'medium' }),
    computed(
      'vram',
      'kinds.columns.vram',
      (object) => {
        const megabytes = numberAt(object, 'status', 'vram');
        return megabytes === undefined ? '' : `${Math.round(megabytes / 102.4) / 10} GiB`;
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
  lead: 'kinds.storageClasses.lead',
  empty: 'kinds.storageClasses.empty',
  icon: HardDrive,
  columns: [
    column('provisioner', 'kinds.columns.provisioner', ['provisioner'], { mono: true }),
    column('default', 'kinds.columns.default', ['metadata', 'annotations', DEFAULT_CLASS], {
      from: 'medium',
      width: '100px',
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

export const WORKLOAD_KINDS: readonly Kind[] = [notebooks, modelServices];
export const CONFIGURATION_KINDS: readonly Kind[] = [configMaps, secrets];
export const CLUSTER_KINDS: readonly Kind[] = [nodes, gpuDevices, storageClasses];
export const DESCRIBED: readonly Kind[] = [
  ...WORKLOAD_KINDS,
  ...CONFIGURATION_KINDS,
  ...CLUSTER_KINDS,
];
