"""A small operator as its authors write them: a Gadget becomes a ConfigMap of its size.

Run by ``kopf run``; the tests look at what it makes.
"""

import kopf
from kubernetes import client, config

GROUP = "kopf.example.com"


@kopf.on.startup()
def connect(settings: kopf.OperatorSettings, **_):
    """Read the kubeconfig, and name things after the operator."""
    config.load_kube_config()
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.posting.enabled = True


@kopf.on.create(GROUP, "v1", "gadgets")
def created(body, spec, name, namespace, **_):
    """Make the child, which goes when its owner goes."""
    child = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"size": str(spec["size"])},
    }
    kopf.adopt(child)
    client.CoreV1Api().create_namespaced_config_map(namespace, child)
    kopf.info(body, reason="Made", message=f"size {spec['size']}")
    return {"child": name, "size": spec["size"]}


@kopf.on.update(GROUP, "v1", "gadgets", field="spec.size")
def resized(new, name, namespace, patch, **_):
    """Bring the child up to date."""
    change = {"data": {"size": str(new)}}
    client.CoreV1Api().patch_namespaced_config_map(name, namespace, change)
    patch.status["resized"] = new


@kopf.on.delete(GROUP, "v1", "gadgets")
def deleted(name, namespace, **_):
    """Leave a note: as long as this has not run, the finalizer keeps the Gadget."""
    note = {"metadata": {"name": f"farewell-{name}"}}
    client.CoreV1Api().create_namespaced_config_map(namespace, note)
