"""kube-apiserver's token file: ``token,user,uid,"group1,group2"``, one identity a line.

Format: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
"""

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path

from llmos.apis.authentication_v1 import AUTHENTICATED_GROUP, UserInfo
from llmos.authentication.authenticator import Identity


class TokenFileError(Exception):
    """A token file that cannot be used; the text names the line and never a token."""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _row_identity(row: list[str]) -> Identity:
    """The identity of one line, whose fields are counted already."""
    given = row[3].split(",") if len(row) > 3 else []
    groups = [each.strip() for each in given if each.strip()]
    if AUTHENTICATED_GROUP not in groups:
        groups.append(AUTHENTICATED_GROUP)
    return Identity(UserInfo(row[1], row[2], tuple(groups)), "token-file")


def _check_row(row: list[str]) -> str:
    """What is wrong with a line, or nothing."""
    if not 3 <= len(row) <= 4:
        return "want token,user,uid and optionally the groups in quotes"
    if not row[0] or any(char.isspace() for char in row[0]):
        return "the token is empty or holds a space"
    if not row[1]:
        return "the user is empty"
    return ""


class StaticTokens:
    """Knows the tokens of a file; they never expire and change only with a restart."""

    def __init__(self, identities: Mapping[bytes, Identity]) -> None:
        self._identities = dict(identities)

    @classmethod
    def parse(cls, text: str, source: str = "token file") -> "StaticTokens":
        """Read the text of a token file; empty lines and lines that begin with ``#`` are skipped.

        Raises:
            TokenFileError: a line has no token, user or uid, or a token stands there twice.
        """
        identities: dict[bytes, Identity] = {}
        reader = csv.reader(text.splitlines(keepends=True), skipinitialspace=True, strict=True)
        try:
            for row in reader:
                if not row or row[0].startswith("#"):
                    continue
                wrong = _check_row(row)
                digest = _digest(row[0])
                if not wrong and digest in identities:
                    wrong = "the token is used by an earlier line"
                if wrong:
                    raise TokenFileError(f"{source}:{reader.line_num}: {wrong}")
                identities[digest] = _row_identity(row)
        except csv.Error as error:
            raise TokenFileError(f"{source}:{reader.line_num}: {error}") from None
        return cls(identities)

    @classmethod
    def load(cls, path: Path) -> "StaticTokens":
        """Read a token file.

        Raises:
            TokenFileError: it cannot be read or used.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise TokenFileError(f"{path}: {reason}") from None
        return cls.parse(text, str(path))

    def authenticate(self, bearer: str) -> Identity | None:
        """Say whose token it is, or None."""
        return self._identities.get(_digest(bearer))
