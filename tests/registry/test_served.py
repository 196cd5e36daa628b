"""How a kind's objects are encoded for storage."""

import tracemalloc

import orjson

from llmos.registry.served import encode_stored


def test_stored_bytes_have_no_type_and_their_revision():
    """What every version shares is stored; the revision becomes the resourceVersion."""
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"}}
    stored = orjson.loads(encode_stored(obj, 7))
    assert stored == {"metadata": {"name": "a", "resourceVersion": "7"}, "data": {"k": "v"}}
    assert "resourceVersion" not in orjson.loads(encode_stored(obj, None))["metadata"]


def test_stored_bytes_take_no_more_memory_than_they_are_long():
    """An encoder's spare buffer is not kept for as long as the object."""
    objects = [{"metadata": {"name": f"n-{each}"}, "data": "x" * 1000} for each in range(200)]
    tracemalloc.start()
    try:
        kept = [encode_stored(each, 1) for each in objects]
        traced, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert traced < 1.5 * sum(map(len, kept))
