/** The kinds that have a page of their own, one description each; cluster-wide ones stand beside. */

import { BrainCircuit, FileSliders, KeyRound, NotebookPen } from 'lucide-react';

import type { KubeObject } from '../api/objects';
import { CONFIG_MAPS, MODEL_SERVICES, NOTEBOOKS, SECRETS } from '../api/resources';
import { CLUSTER_KINDS } from './clusterKinds';
import { column, computed, image as imageColumn, keysIn, ready, size } from './columns';
import * as fields from './fields';
import type { Kind, KindField } from './kind';
import { at, numberAt, textAt, withAt, type Path } from './reading';
import { generalState, replicaState } from './state';

const TYPE: Path = ['metadata', 'labels', 'ml.llmos.ai/notebook-type'];
const HOME: Path = ['spec', 'volumeClaimTemplates', 0, 'spec', 'resources', 'requests', 'storage'];

const notebookTypes = [
  { value: 'jupyter', label: 'Jupyter' },
  { value: 'code-server', label: 'VS Code' },
  { value: 'rstudio', label: 'RStudio' },
];

/** The type as the form calls it; what the form does not know stays as it is. */
function typeOf(object: KubeObject): string {
  const type = textAt(object, ...TYPE);
  return notebookTypes.find((each) => each.value === type)?.label ?? type;
}

const notebookType: KindField = {
  id: 'type',
  label: 'kinds.fields.notebookType',
  input: 'choice',
  choices: notebookTypes,
  get: (manifest) => textAt(manifest, ...TYPE) || 'jupyter',
  set: (manifest, value) => withAt(manifest, TYPE, value),
};

const notebooks: Kind = {
  resource: NOTEBOOKS,
  title: 'kinds.notebooks.title',
  one: 'kinds.notebooks.one',
  lead: 'kinds.notebooks.lead',
  empty: 'kinds.notebooks.empty',
  icon: NotebookPen,
  columns: [
    computed('type', 'kinds.columns.type', typeOf, { from: 'medium', width: '96px' }),
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

const registries = [
  { value: 'huggingface', label: 'Hugging Face' },
  { value: 'modelscope', label: 'ModelScope' },
  { value: 'local', label: 'Local', say: 'kinds.fields.local' },
] as const;

const modelServices: Kind = {
  resource: MODEL_SERVICES,
  title: 'kinds.modelServices.title',
  one: 'kinds.modelServices.one',
  lead: 'kinds.modelServices.lead',
  empty: 'kinds.modelServices.empty',
  icon: BrainCircuit,
  columns: [
    column('model', 'kinds.columns.model', ['spec', 'model'], { mono: true }),
    computed('registry', 'kinds.columns.registry', registryOf, {
      from: 'wide',
      width: '120px',
      words: { local: 'kinds.fields.local' },
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
        choices: registries,
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

function registryOf(object: KubeObject): string {
  const registry = textAt(object, 'spec', 'modelRegistry');
  const known = registries.find((each) => each.value === registry);
  return known === undefined || 'say' in known ? registry : known.label;
}

const configMaps: Kind = {
  resource: CONFIG_MAPS,
  title: 'kinds.configMaps.title',
  one: 'kinds.configMaps.one',
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
  one: 'kinds.secrets.one',
  lead: 'kinds.secrets.lead',
  empty: 'kinds.secrets.empty',
  icon: KeyRound,
  columns: [
    column('type', 'kinds.columns.type', ['type'], { from: 'medium', mono: true, below: true }),
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

export const WORKLOAD_KINDS: readonly Kind[] = [notebooks, modelServices];
export const CONFIGURATION_KINDS: readonly Kind[] = [configMaps, secrets];
export const DESCRIBED: readonly Kind[] = [
  ...WORKLOAD_KINDS,
  ...CONFIGURATION_KINDS,
  ...CLUSTER_KINDS,
];
