/** Kinds without a page of their own: what a list shows of the common ones, and of any other. */

import { Box } from 'lucide-react';

import { resourceName } from '../api/discovery';
import type { Resource } from '../api/resources';
import { column, computed, portsOf, ready, subjectsOf } from './columns';
import type { Kind, KindColumn } from './kind';
import { listAt, numberAt, textAt } from './reading';
import { generalState, replicaState, stateOfWord } from './state';

interface Known {
  columns: readonly KindColumn[];
  state?: Kind['state'];
  hasState?: boolean;
}

const replicated: Known = {
  columns: [
    ready,
    computed(
      'image',
      'kinds.columns.image',
      (object) => textAt(object, 'spec', 'template', 'spec', 'containers', 0, 'image'),
      { from: 'wide', mono: true },
    ),
  ],
  state: replicaState,
};

const rules: Known = {
  columns: [computed('rules', 'kinds.columns.rules', (object) => listAt(object, 'rules').length)],
  hasState: false,
};

const known: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['deployments.apps', replicated],
  ['statefulsets.apps', replicated],
  ['replicasets.apps', replicated],
  [
    'daemonsets.apps',
    {
      columns: [
        computed(
          'ready',
          'kinds.columns.ready',
          (object) =>
            `${numberAt(object, 'status', 'numberReady') ?? 0}/${numberAt(object, 'status', 'desiredNumberScheduled') ?? 0}`,
        ),
      ],
      hasState: false,
    },
  ],
  [
    'pods',
    {
      columns: [
        column('node', 'kinds.columns.node', ['spec', 'nodeName'], { from: 'medium' }),
        computed(
          'restarts',
          'kinds.columns.restarts',
          (object) =>
            listAt(object, 'status', 'containerStatuses').reduce<number>(
              (sum, each) => sum + (numberAt(each, 'restartCount') ?? 0),
              0,
            ),
          { width: '90px' },
        ),
      ],
    },
  ],
  [
    'services',
    {
      columns: [
        column('type', 'kinds.columns.type', ['spec', 'type'], { width: '120px' }),
        column('address', 'kinds.columns.address', ['spec', 'clusterIP'], { from: 'medium' }),
        computed('ports', 'kinds.columns.ports', portsOf, { from: 'medium' }),
      ],
      hasState: false,
    },
  ],
  [
    'persistentvolumeclaims',
    {
      columns: [
        column('storage', 'kinds.columns.storage', ['spec', 'resources', 'requests', 'storage'], {
          width: '100px',
        }),
        column('class', 'kinds.columns.storageClass', ['spec', 'storageClassName'], {
          from: 'medium',
        }),
      ],
    },
  ],
  ['jobs.batch', { columns: [] }],
  [
    'cronjobs.batch',
    {
      columns: [column('schedule', 'kinds.columns.schedule', ['spec', 'schedule'], { mono: true })],
      state: (object) =>
        stateOfWord(textAt(object, 'spec', 'suspend') === 'true' ? 'Suspended' : 'Active'),
    },
  ],
  ['roles.rbac.authorization.k8s.io', rules],
  [
    'rolebindings.rbac.authorization.k8s.io',
    {
      columns: [
        column('role', 'common.role', ['roleRef', 'name']),
        computed('subjects', 'kinds.columns.subjects', subjectsOf, { from: 'medium' }),
      ],
      hasState: false,
    },
  ],
  ['serviceaccounts', { columns: [], hasState: false }],
  ['limitranges', { columns: [], hasState: false }],
  ['resourcequotas', { columns: [], hasState: false }],
  ['endpoints', { columns: [], hasState: false }],
  ['leases.coordination.k8s.io', { columns: [], hasState: false }],
]);

/** The description of a kind that has none of its own. */
export function otherKind(resource: Resource): Kind {
  const found = known.get(resourceName(resource));
  return {
    resource,
    title: undefined,
    one: undefined,
    lead: undefined,
    empty: undefined,
    icon: Box,
    columns: found?.columns ?? [],
    state: found?.state ?? generalState,
    hasState: found?.hasState ?? true,
    form: undefined,
    template: (namespace) => ({
      metadata: { name: '', ...(resource.namespaced && { namespace }) },
    }),
    hidden: [],
    data: undefined,
  };
}
