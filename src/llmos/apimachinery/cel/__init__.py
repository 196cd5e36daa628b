"""The Common Expression Language, as Kubernetes extends it.

Source: https://kubernetes.io/docs/reference/using-api/cel/.

``environment`` compiles, ``expression`` is what comes out; ``rules`` judges custom resources by
the rules of their schema. Parsing, standard functions and evaluation are the C++ runtime's
(``cel-expr-python``); ours is what Kubernetes adds: its functions, types made of schemas, and a
bound on what one evaluation may cost.
"""
