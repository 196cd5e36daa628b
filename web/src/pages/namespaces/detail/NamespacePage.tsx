export function NamespacePage() {
  return null;
}
