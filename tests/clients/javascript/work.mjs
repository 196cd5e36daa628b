// Everyday work with the JavaScript client; each step prints what it saw, as one line of JSON.
import * as k8s from "@kubernetes/client-node";

const [kubeconfig, namespace] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const authorization = config.makeApiClient(k8s.AuthorizationV1Api);
const custom = config.makeApiClient(k8s.CustomObjectsApi);

const say = (step, value) => console.log(JSON.stringify({ step, value }));
const refused = async (call) => {
  try {
    await call();
    return 0;
  } catch (error) {
    return error.code;
  }
};

const body = { metadata: { name: "a", labels: { of: "js" } }, data: { x: "1" } };
const made = await core.createNamespacedConfigMap({ namespace, body });
say("create", made.data);

made.data = { x: "2" };
const replaced = await core.replaceNamespacedConfigMap({ namespace, name: "a", body: made });
say("replace", replaced.data);
say("conflict", await refused(() =>
  core.replaceNamespacedConfigMap({ namespace, name: "a", body: made })));

const add = [{ op: "add", path: "/data/y", value: "3" }];
const patched = await core.patchNamespacedConfigMap({ namespace, name: "a", body: add });
say("patch", patched.data);
const merged = await core.patchNamespacedConfigMap(
  { namespace, name: "a", body: { data: { x: null } } },
  k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.StrategicMergePatch),
);
say("strategic", merged.data);

const listed = await core.listNamespacedConfigMap({ namespace, labelSelector: "of=js", limit: 1 });
say("list", listed.items.map((each) => each.metadata.name));
say("missing", await refused(() => core.readNamespacedConfigMap({ namespace, name: "nope" })));
say("forbidden", await refused(() => core.createNamespace({ body: { metadata: { name: "x" } } })));

const notebook = {
  apiVersion: "ml.llmos.ai/v1",
  kind: "Notebook",
  metadata: { name: "lab", namespace },
  spec: { template: { spec: { containers: [{ name: "notebook", image: "jupyter" }] } } },
};
await objects.create(notebook);
const changed = { ...notebook, metadata: { name: "lab", namespace, labels: { a: "b" } } };
const seen = await objects.patch(
  changed, undefined, undefined, "js", undefined, k8s.PatchStrategy.MergePatch);
say("custom", seen.metadata.labels);
const everywhere = await custom.listClusterCustomObject(
  { group: "ml.llmos.ai", version: "v1", plural: "notebooks" });
say("everywhere", everywhere.items.map((each) => each.metadata.namespace));
await objects.delete(notebook);

const review = await authorization.createSelfSubjectAccessReview(
  { body: { spec: { resourceAttributes: { namespace, resource: "pods", verb: "list" } } } });
say("review", review.status.allowed);
await core.deleteNamespacedConfigMap({ namespace, name: "a" });
say("gone", await refused(() => core.readNamespacedConfigMap({ namespace, name: "a" })));
