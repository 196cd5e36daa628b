"""Field ownership: who wrote which field of an object.

``track_update`` keeps the books of creates, updates and patches, ``apply`` is the write that
heeds them. Follows k8s.io/apimachinery/pkg/util/managedfields and
sigs.k8s.io/structured-merge-diff/merge.
"""

from llmos.apimachinery.field_ownership import WriteContext, track_update
from llmos.apimachinery.server_side_apply import apply

__all__ = ["WriteContext", "apply", "track_update"]
