/** The pages and their addresses, below `/ui`. */

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
  type RouterHistory,
} from '@tanstack/react-router';

import type { ObjectTab } from '../pages/resources/places';
import type { Scope } from '../pages/roles/roleKinds';
import { currentIdentity, loadIdentity } from '../api/session';
import { tabOf, type NamespaceTab } from '../pages/namespaces/detail/tabs';
import { NotFound, RouteProblem } from './RouteProblem';
import { Shell } from './Shell';

const root = createRootRoute({ notFoundComponent: NotFound });

interface SignInSearch {
  next?: string;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (search): SignInSearch =>
    typeof search.next === 'string' ? { next: search.next } : {},
  component: lazyRouteComponent(() => import('../pages/signin/SignInPage'), 'SignInPage'),
});

const choosePassword = createRoute({
  getParentRoute: () => root,
  path: '/password',
  validateSearch: (search): SignInSearch =>
    typeof search.next === 'string' ? { next: search.next } : {},
  component: lazyRouteComponent(
    () => import('../pages/signin/ChoosePasswordPage'),
    'ChoosePasswordPage',
  ),
});

export interface ShellSearch {
  /** The namespaces that lists show, by commas; without it all. */
  ns?: string;
}

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  validateSearch: (search): ShellSearch =>
    typeof search.ns === 'string' && search.ns !== '' ? { ns: search.ns } : {},
  search: { middlewares: [retainSearchParams<ShellSearch>(['ns'])] },
  beforeLoad: async ({ location }) => {
    const identity = currentIdentity() ?? (await loadIdentity());
    const next = location.href;
    if (!identity) throw redirect({ to: '/signin', search: { next } });
    if (identity.mustChangePassword) throw redirect({ to: '/password', search: { next } });
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/namespaces' });
  },
});

const namespaces = createRoute({
  getParentRoute: () => shell,
  path: '/namespaces',
  component: lazyRouteComponent(
    () => import('../pages/namespaces/NamespacesPage'),
    'NamespacesPage',
  ),
});

const resources = createRoute({
  getParentRoute: () => shell,
  path: '/resources/$kind',
  component: lazyRouteComponent(
    () => import('../pages/resources/ResourceListPage'),
    'ResourceListPage',
  ),
});

interface ObjectSearch {
  /** Without it the overview. */
  tab?: ObjectTab;
}

const tabs: readonly unknown[] = ['edit', 'yaml', 'events'];
const objectSearch = (search: Record<string, unknown>): ObjectSearch =>
  tabs.includes(search.tab) ? { tab: search.tab as ObjectTab } : {};

const clusterObject = createRoute({
  getParentRoute: () => shell,
  path: '/resources/$kind/$name',
  validateSearch: objectSearch,
  component: lazyRouteComponent(() => import('../pages/resources/ObjectPage'), 'ClusterObjectPage'),
});

const namespacedObject = createRoute({
  getParentRoute: () => shell,
  path: '/resources/$kind/$namespace/$name',
  validateSearch: objectSearch,
  component: lazyRouteComponent(
    () => import('../pages/resources/ObjectPage'),
    'NamespacedObjectPage',
  ),
});

interface CreateSearch {
  namespace?: string;
}

const create = createRoute({
  getParentRoute: () => shell,
  path: '/create/$kind',
  validateSearch: (search): CreateSearch =>
    typeof search.namespace === 'string' ? { namespace: search.namespace } : {},
  component: lazyRouteComponent(() => import('../pages/resources/CreatePage'), 'CreatePage'),
});

const createNamespace = createRoute({
  getParentRoute: () => shell,
  path: '/namespaces/new',
  component: lazyRouteComponent(() => import('../pages/namespaces/form/CreatePage'), 'CreatePage'),
});

const editNamespace = createRoute({
  getParentRoute: () => shell,
  path: '/namespaces/$name/edit',
  component: lazyRouteComponent(() => import('../pages/namespaces/form/EditPage'), 'EditPage'),
});

const namespace = createRoute({
  getParentRoute: () => shell,
  path: '/namespaces/$name',
  validateSearch: (search): { tab?: NamespaceTab } => {
    const tab = tabOf(search.tab);
    return tab === undefined ? {} : { tab };
  },
  component: lazyRouteComponent(
    () => import('../pages/namespaces/detail/NamespacePage'),
    'NamespacePage',
  ),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: '/account',
  component: lazyRouteComponent(() => import('../pages/account/AccountPage'), 'AccountPage'),
});

const users = createRoute({
  getParentRoute: () => shell,
  path: '/users',
  component: lazyRouteComponent(() => import('../pages/users/UsersPage'), 'UsersPage'),
});

const user = createRoute({
  getParentRoute: () => shell,
  path: '/users/$name',
  component: lazyRouteComponent(() => import('../pages/users/UserPage'), 'UserPage'),
});

const roles = createRoute({
  getParentRoute: () => shell,
  path: '/roles',
  validateSearch: (search): { scope?: Scope } =>
    search.scope === 'global' ? { scope: 'global' } : {},
  component: lazyRouteComponent(() => import('../pages/roles/RolesPage'), 'RolesPage'),
});

const newRole = createRoute({
  getParentRoute: () => shell,
  path: '/roles/new/$scope',
  validateSearch: (search): { from?: string } =>
    typeof search.from === 'string' ? { from: search.from } : {},
  component: lazyRouteComponent(() => import('../pages/roles/RoleFormPages'), 'NewRolePage'),
});

const role = createRoute({
  getParentRoute: () => shell,
  path: '/roles/$scope/$name',
  component: lazyRouteComponent(() => import('../pages/roles/RolePage'), 'RolePage'),
});

const editRole = createRoute({
  getParentRoute: () => shell,
  path: '/roles/$scope/$name/edit',
  component: lazyRouteComponent(() => import('../pages/roles/RoleFormPages'), 'EditRolePage'),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('../pages/settings/SettingsPage'), 'SettingsPage'),
});

const routeTree = root.addChildren([
  signIn,
  choosePassword,
  shell.addChildren([
    home,
    namespaces,
    createNamespace,
    namespace,
    editNamespace,
    account,
    resources,
    clusterObject,
    namespacedObject,
    create,
    users,
    user,
    roles,
    newRole,
    role,
    editRole,
    settings,
  ]),
]);

/** The router; tests give it a history of their own. */
export function makeRouter(history?: RouterHistory) {
  return createRouter({
    routeTree,
    basepath: '/ui',
    defaultErrorComponent: RouteProblem,
    defaultNotFoundComponent: NotFound,
    defaultPreload: 'intent',
    ...(history && { history }),
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
