/** What the sidebar leads to. */

import { linkOptions } from '@tanstack/react-router';
import type { ParseKeys } from 'i18next';
import type { LucideIcon } from 'lucide-react';
import {
  Boxes,
  BrainCircuit,
  Cpu,
  FileSliders,
  HardDrive,
  KeyRound,
  NotebookPen,
  Server,
} from 'lucide-react';

export interface NavigationItem {
  link: ReturnType<typeof namespaces> | ReturnType<typeof kind>;
  label: ParseKeys;
  icon: LucideIcon;
}

export interface NavigationGroup {
  label: 'shell.workloads' | 'shell.configuration' | 'shell.cluster' | 'shell.advanced';
  items: readonly NavigationItem[];
}

const namespaces = () => linkOptions({ to: '/namespaces' });
const kind = (name: string) => linkOptions({ to: '/resources/$kind', params: { kind: name } });

export const NAVIGATION: readonly NavigationGroup[] = [
  {
    label: 'shell.workloads',
    items: [
      { link: kind('notebooks.ml.llmos.ai'), label: 'shell.notebooks', icon: NotebookPen },
      { link: kind('modelservices.ml.llmos.ai'), label: 'shell.modelServices', icon: BrainCircuit },
    ],
  },
  {
    label: 'shell.configuration',
    items: [
      { link: kind('configmaps'), label: 'shell.configMaps', icon: FileSliders },
      { link: kind('secrets'), label: 'shell.secrets', icon: KeyRound },
    ],
  },
  {
    label: 'shell.cluster',
    items: [
      { link: kind('nodes'), label: 'shell.nodes', icon: Server },
      { link: kind('gpudevices.gpustack.llmos.ai'), label: 'shell.gpuDevices', icon: Cpu },
      {
        link: kind('storageclasses.storage.k8s.io'),
        label: 'shell.storageClasses',
        icon: HardDrive,
      },
    ],
  },
  {
    label: 'shell.advanced',
    items: [{ link: namespaces(), label: 'shell.namespaces', icon: Boxes }],
  },
];
