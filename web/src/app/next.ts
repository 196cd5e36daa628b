/** Where to go after signing in. */

const HOME = '/namespaces';

/**
 * A path of this page and nothing else: what comes from the address bar leads nowhere but to
 * another route below `/ui`.
 */
export function safeNext(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])[\w\-./~?=&%,@:+]*$/.test(next)) return HOME;
  try {
    const url = new URL(next, 'https://page.invalid');
    const here = url.origin === 'https://page.invalid' && !/^\/signin(\/|$)/.test(url.pathname);
    return here && !url.pathname.startsWith('//') ? url.pathname + url.search : HOME;
  } catch {
    return HOME;
  }
}
