"""Which objects a list or watch is about: label and field selectors over stored bytes."""

from collections.abc import Callable
from dataclasses import dataclass

from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.object import Object, labels_of, name_of, namespace_of
from llmos.apimachinery.selectors import FieldSelector, LabelSelector
from llmos.watchcache.interface import Readable

Matches = Callable[[Object], bool]


@dataclass(frozen=True, slots=True)
class Selection:
    """The selectors of one request."""

    labels: LabelSelector
    fields: FieldSelector

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.labels.empty and not self.fields.requirements

    def matcher(self, served: Readable) -> Matches | None:
        """A test of objects, or None when everything matches.

        Raises:
            BadRequestError: the kind has no such field label.
        """
        if self.everything:
            return None
        self._check_fields(served)
        fields_of = served.fields

        def matches(obj: Object) -> bool:
            if not self.labels.empty and not self.labels.matches(labels_of(obj)):
                return False
            if not self.fields.requirements:
                return True
            values = {"metadata.name": name_of(obj), "metadata.namespace": namespace_of(obj)}
            if fields_of is not None:
                values.update(fields_of(obj))
            return self.fields.matches(values)

        return matches

    def _check_fields(self, served: Readable) -> None:
        known = {"metadata.name", "metadata.namespace", *served.field_names}
        for requirement in self.fields.requirements:
            if requirement.field in known:
                continue
            if served.field_names or served.resource.custom:
                raise BadRequestError(f"field label not supported: {requirement.field}")
            raise BadRequestError(
                f'"{requirement.field}" is not a known field selector: '
                'only "metadata.name", "metadata.namespace"'
            )
