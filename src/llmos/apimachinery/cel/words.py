"""The words of CEL that name nothing of one's own; light to import."""

RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return"),
        *("var", "void", "while"),
    )
)
"""Words that are no identifiers of CEL (k8s.io/apiserver/pkg/cel, celReservedSymbols)."""
