"""A kind with a schema that uses about everything a CRD schema can say."""

from llmos.apimachinery.schema_compile import compile_schema
from llmos.apimachinery.structural import apply_defaults, prune, validate

NOTEBOOK = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"type": "string", "enum": ["jupyter", "vscode"]},
                "replicas": {"type": "integer", "default": 1, "minimum": 0, "maximum": 5},
                "name": {"type": "string", "maxLength": 5, "minLength": 2, "pattern": "^[a-z]+$"},
                "ios": {
                    "x-kubernetes-int-or-string": True,
                    "anyOf": [{"type": "integer"}, {"type": "string"}],
                },
                "nul": {"type": "string", "nullable": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "m": {"type": "object", "additionalProperties": {"type": "string"}},
                "vols": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "mode": {"type": "string", "default": "rw"},
                        },
                    },
                },
                "set": {
                    "type": "array",
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "string"},
                },
                "lst": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 2,
                    "items": {"type": "string"},
                },
                "tmo": {"type": "string", "format": "date-time"},
                "f": {"type": "number", "exclusiveMinimum": True, "minimum": 0, "multipleOf": 0.5},
                "b": {"type": "boolean"},
                "i32": {"type": "integer", "format": "int32"},
                "few": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 2,
                    "additionalProperties": {"type": "integer"},
                },
                "template": {"type": "object", "x-kubernetes-embedded-resource": True},
                "one": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                "any": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                    "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                "all": {
                    "type": "string",
                    "allOf": [{"minLength": 3}, {"pattern": "^a"}],
                    "not": {"enum": ["abc"]},
                },
            },
        },
    },
}
SCHEMA = compile_schema(NOTEBOOK)


def notebook(**spec: object) -> dict:
    return {
        "apiVersion": "ml.example.com/v1",
        "kind": "Notebook",
        "metadata": {"name": "a"},
        "spec": {"type": "jupyter", **spec},
    }


def judged(obj: dict) -> list[str]:
    prune(obj, SCHEMA)
    apply_defaults(obj, SCHEMA)
    return [f"{each.reason} {each}" for each in validate(obj, SCHEMA)]
