// An informer of the JavaScript client; it prints every change until its input ends.
import * as k8s from "@kubernetes/client-node";

const [kubeconfig, namespace] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const path = `/api/v1/namespaces/${namespace}/configmaps`;
const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: "of=js" });
const informer = k8s.makeInformer(config, path, list, "of=js");

const say = (kind) => (object) => console.log(JSON.stringify(
  { kind, name: object.metadata.name, data: object.data ?? {} }));
for (const kind of ["add", "update", "delete"]) informer.on(kind, say(kind));
informer.on("connect", () => console.log(JSON.stringify({ kind: "connect" })));
// Every restart is announced by an error; the informer is then started again, as its manual says.
informer.on("error", () => setTimeout(() => informer.start(), 200));
await informer.start();
process.stdin.on("end", () => process.exit(0)).resume();
