/** What the sidebar leads to. */

import type { LucideIcon } from 'lucide-react';
import { Boxes } from 'lucide-react';

export interface NavigationItem {
  to: '/namespaces';
  label: 'shell.namespaces';
  icon: LucideIcon;
}

export interface NavigationGroup {
  label: 'shell.workloads' | 'shell.configuration' | 'shell.cluster' | 'shell.advanced';
  items: readonly NavigationItem[];
}

export const NAVIGATION: readonly NavigationGroup[] = [
  {
    label: 'shell.advanced',
    items: [{ to: '/namespaces', label: 'shell.namespaces', icon: Boxes }],
  },
];
