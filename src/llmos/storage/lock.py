"""A lock on the data, so that two processes never serve the same."""

import fcntl
import os
from pathlib import Path

from llmos.storage.interface import OpenError


class FileLock:
    """An advisory lock on a file beside the database; the kernel frees it with the process."""

    def __init__(self, path: Path) -> None:
        """Take the lock at once.

        Raises:
            OpenError: another process holds it.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise OpenError(f"{path}: in use by another llmos (process {holder})") from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next one in. The file stays: removing it would let two processes pass."""
        os.close(self._file)
