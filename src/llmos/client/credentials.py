"""What a kubeconfig's user proves himself with: a token, a file of one, a program, a certificate.

Programs speak ``client.authentication.k8s.io`` (k8s.io/client-go/plugin/pkg/client/auth/exec): they
print an ``ExecCredential``, which is kept until shortly before it expires.
"""

import base64
import binascii
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from llmos.client.config import ClientCertificate

_API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EARLY_SECONDS = 60.0
"""How long before its end a credential is asked for anew,"""
_EARLY_PART = 0.2
"""but no more than this part of its life before."""
_PROGRAM_SECONDS = 120.0
"""A program may open a browser, but not for ever."""


class CredentialError(Exception):
    """A credential that cannot be used; never says its content."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token that somebody else keeps fresh in a file, as Kubernetes does in pods."""

    path: Path

    def __call__(self) -> str:
        """The token of this moment.

        Raises:
            CredentialError: the file cannot be read.
        """
        try:
            return self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialError(f"cannot read the token file {self.path}") from error


@dataclass(slots=True)
class Program:
    """A credential that a program gives."""

    spec: Mapping[str, Any]
    """``users[].user.exec`` of the kubeconfig."""
    cluster: Mapping[str, Any] = field(default_factory=dict)
    """Told to the program, if it wants to know (``provideClusterInfo``)."""
    _status: Mapping[str, Any] | None = field(init=False, default=None, repr=False, compare=False)
    _fresh_until: float = field(init=False, default=0.0, compare=False)
    _lock: threading.Lock = field(
        init=False, default_factory=threading.Lock, repr=False, compare=False
    )
    """One of those who want it asks the program; the others wait for its word."""

    def __call__(self) -> str:
        """The token of this moment; empty: the program gives a certificate.

        Raises:
            CredentialError: the program failed.
        """
        return str(self._current().get("token") or "")

    @property
    def certificate(self) -> ClientCertificate | None:
        """The certificate, if it gives one.

        Raises:
            CredentialError: the program failed.
        """
        status = self._current()
        if not status.get("clientCertificateData"):
            return None
        return ClientCertificate(
            str(status["clientCertificateData"]), str(status.get("clientKeyData") or "")
        )

    def _current(self) -> Mapping[str, Any]:
        with self._lock:
            if self._status is None or time.time() >= self._fresh_until:
                self._status = self._run()
                now = time.time()
                left = _end_of(self._status) - now
                self._fresh_until = now + left - min(_EARLY_SECONDS, _EARLY_PART * left)
            return self._status

    def _run(self) -> Mapping[str, Any]:
        command = str(self.spec.get("command") or "")
        version = str(self.spec.get("apiVersion") or "")
        if not command or version not in _API_VERSIONS:
            raise CredentialError(f"the kubeconfig's program {command!r} speaks no known version")
        arguments = [str(each) for each in self.spec.get("args") or ()]
        try:
            ended = subprocess.run(  # noqa: S603 - what the user's own kubeconfig names
                [command, *arguments],
                env=self._environment(version),
                stdout=subprocess.PIPE,
                timeout=_PROGRAM_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            hint = str(self.spec.get("installHint") or type(error).__name__)
            raise CredentialError(f"cannot run {command}: {hint}") from error
        if ended.returncode:
            raise CredentialError(f"{command} ended with {ended.returncode}")
        return _status_of(command, ended.stdout)

    def _environment(self, version: str) -> dict[str, str]:
        asked: dict[str, Any] = {"interactive": self._interactive()}
        if self.spec.get("provideClusterInfo"):
            asked["cluster"] = dict(self.cluster)
        info = {"apiVersion": version, "kind": "ExecCredential", "spec": asked}
        named = {
            str(each.get("name")): str(each.get("value") or "")
            for each in self.spec.get("env") or ()
        }
        return {**os.environ, **named, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _interactive(self) -> bool:
        return self.spec.get("interactiveMode") != "Never" and sys.stdin.isatty()


def _status_of(command: str, printed: bytes) -> Mapping[str, Any]:
    try:
        credential = json.loads(printed)
        status = credential["status"]
    except (ValueError, KeyError, TypeError) as error:
        raise CredentialError(f"{command} printed no ExecCredential") from error
    if not isinstance(status, dict) or not (
        status.get("token") or status.get("clientCertificateData")
    ):
        raise CredentialError(f"{command} gave neither a token nor a certificate")
    return status


def _end_of(status: Mapping[str, Any]) -> float:
    """When a credential expires, in seconds since the epoch; far away where it does not say."""
    text = str(status.get("expirationTimestamp") or "")
    if not text:
        return float("inf")
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise CredentialError(f"{text!r} is no time") from error


def certificate_of(user: Mapping[str, Any]) -> ClientCertificate | None:
    """The certificate of a kubeconfig's user, inline or in files; None: he has none.

    Raises:
        CredentialError: it cannot be read, or its key is missing.
    """
    certificate = pem_of(user, "client-certificate")
    if not certificate:
        return None
    key = pem_of(user, "client-key")
    if not key:
        raise CredentialError("the client certificate has no key")
    return ClientCertificate(certificate, key)


def pem_of(entry: Mapping[str, Any], name: str) -> str:
    """What stands in ``NAME-data``, or in the file that ``NAME`` names.

    Raises:
        CredentialError: it cannot be read.
    """
    try:
        if data := entry.get(f"{name}-data"):
            return base64.b64decode(data, validate=True).decode()
        if path := entry.get(name):
            return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError, binascii.Error) as error:
        raise CredentialError(f"the {name} cannot be read") from error
    return ""
