"""LLMOS: namespaces that isolate teams on one AI cluster, behind the Kubernetes API."""

__version__ = "0.1.0"
