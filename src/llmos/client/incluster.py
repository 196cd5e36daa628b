"""Where the cluster is for who runs in it: what Kubernetes gives every pod.

The rules are client-go's (k8s.io/client-go/rest, InClusterConfig).
"""

from collections.abc import Mapping
from pathlib import Path

from llmos.client.config import Config
from llmos.client.credentials import TokenFile
from llmos.client.kubeconfig import KubeconfigError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def in_cluster_config(environ: Mapping[str, str], account: Path = ACCOUNT) -> Config | None:
    """The pod's own cluster and account; None: this is no pod.

    Raises:
        KubeconfigError: it is one, and its account cannot be read.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not (host and port):
        return None
    token = account / "token"
    try:
        token.read_bytes()
        authority = (account / "ca.crt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"the pod's service account cannot be read: {error}") from error
    shown = f"[{host}]" if ":" in host else host
    return Config(f"https://{shown}:{port}", token=TokenFile(token), ca_pem=authority)
