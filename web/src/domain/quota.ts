/** Quotas: quantities of Kubernetes as numbers, and how much of each is used. */

import { own, type KubeObject } from '../api/objects';

export interface ResourceQuota extends KubeObject {
  spec?: { hard?: Record<string, string> };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

/** The quota that the page makes and edits; others of a namespace are shown and left alone. */
export const QUOTA_NAME = 'namespace-quota';

/** What the form asks for; any other resource is edited as YAML. */
export const QUOTA_FIELDS = [
  'requests.cpu',
  'requests.memory',
  'requests.nvidia.com/gpu',
  'requests.storage',
  'count/notebooks.ml.llmos.ai',
  'count/modelservices.ml.llmos.ai',
  'pods',
  'persistentvolumeclaims',
] as const;
export type QuotaField = (typeof QUOTA_FIELDS)[number];

/** Whether a text is a limit that Kubernetes takes. */
export function isLimit(text: string): boolean {
  return quantity(text) >= 0;
}

const factors: ReadonlyMap<string, number> = new Map([
  ['n', 1e-9],
  ['u', 1e-6],
  ['m', 1e-3],
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['P', 1e15],
  ['E', 1e18],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40],
  ['Pi', 2 ** 50],
  ['Ei', 2 ** 60],
]);

/** The number that a quantity stands for; NaN: it is none. */
export function quantity(text: string): number {
  const parts = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
    text,
  );
  if (!parts) return Number.NaN;
  const number = Number(parts[1]);
  if (parts[2] !== undefined) return number * 10 ** Number(parts[2]);
  return number * (factors.get(parts[3] ?? '') ?? Number.NaN);
}

export interface Use {
  resource: string;
  used: string;
  hard: string;
  /** Of one; above one where a quota was lowered below what is used. */
  share: number;
}

/** How much of each limit is used: of several quotas the tightest. */
export function usesOf(quotas: readonly ResourceQuota[]): Use[] {
  const tightest = new Map<string, Use>();
  for (const each of quotas) {
    const hard = each.status?.hard ?? each.spec?.hard ?? {};
    for (const [resource, limit] of Object.entries(hard)) {
      const used = own(each.status?.used, resource) ?? '0';
      const most = quantity(limit);
      const now = quantity(used);
      const share = most > 0 ? now / most : Number(now > 0);
      const known = tightest.get(resource);
      if (!known || share > known.share) {
        tightest.set(resource, { resource, used, hard: limit, share });
      }
    }
  }
  return [...tightest.values()].sort((one, other) => one.resource.localeCompare(other.resource));
}

/** The limit that is nearest. */
export function nearest(uses: readonly Use[]): Use | undefined {
  return uses.reduce<Use | undefined>(
    (found, each) => (found && found.share >= each.share ? found : each),
    undefined,
  );
}

/** As the form has them: what it asks for first, then the rest by name. */
export function inOrder(uses: readonly Use[]): Use[] {
  const rank = (use: Use) => {
    const found = (QUOTA_FIELDS as readonly string[]).indexOf(use.resource);
    return found < 0 ? QUOTA_FIELDS.length : found;
  };
  return [...uses].sort((one, other) => rank(one) - rank(other));
}
