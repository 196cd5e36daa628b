"""A server for the tests of others: operators, tools, whatever speaks to a Kubernetes API."""
