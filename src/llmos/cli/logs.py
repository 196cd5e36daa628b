"""What a server says while it runs."""

import logging


def log_to_stderr(*, verbose: bool) -> None:
    """Log to stderr: warnings, or everything that changes or is refused."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
