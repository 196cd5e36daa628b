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
  ShieldCheck,
  SlidersHorizontal,
  UsersRound,
} from 'lucide-react';

export interface NavigationItem {
  link: ReturnType<typeof page> | ReturnType<typeof kind>;
  label: ParseKeys;
  icon: LucideIcon;
}

export interface NavigationGroup {
  label: ParseKeys;
  items: readonly NavigationItem[];
}

const page = (to: '/namespaces' | '/users' | '/roles' | '/settings') => linkOptions({ to });
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
    label: 'shell.authentication',
    items: [
      { link: page('/users'), label: 'shell.users', icon: UsersRound },
      { link: page('/roles'), label: 'shell.roleTemplates', icon: ShieldCheck },
      { link: page('/settings'), label: 'shell.settings', icon: SlidersHorizontal },
    ],
  },
  {
    label: 'shell.advanced',
    items: [{ link: page('/namespaces'), label: 'shell.namespaces', icon: Boxes }],
  },
];
