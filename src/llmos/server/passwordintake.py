"""Passwords that come with User manifests are taken out before anything is stored."""

from dataclasses import dataclass

from llmos.apis.admission_v1 import Admission, AdmissionAttributes
from llmos.authentication.records import USERS
from llmos.authentication.user_manifests import take_password

PASSWORD_NOTE = "password"  # noqa: S105 - the name of a note


@dataclass(frozen=True, slots=True)
class PasswordIntake:
    """Stands before the admission chain; no password gets past it into an object."""

    chain: Admission

    def mutate(self, attributes: AdmissionAttributes) -> None:
        """Take the password out of a User, then let the chain do its part."""
        if attributes.object is not None and attributes.resource.group_resource == USERS:
            password = take_password(attributes.object)
            if password is not None:
                attributes.notes[PASSWORD_NOTE] = password
        self.chain.mutate(attributes)

    def validate(self, attributes: AdmissionAttributes) -> None:
        """Leave it to the chain."""
        self.chain.validate(attributes)
