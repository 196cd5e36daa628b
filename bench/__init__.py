"""The benchmark: this server's operations over HTTPS, and those of kube-apiserver beside it."""
