/** The tabs of a namespace, in the order of the page. */
export const TABS = ['overview', 'members', 'resources', 'events', 'access'] as const;
export type NamespaceTab = (typeof TABS)[number];

export function tabOf(text: unknown): NamespaceTab | undefined {
  return TABS.find((each) => each === text);
}
