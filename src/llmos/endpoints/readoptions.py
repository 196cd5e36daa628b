"""Query options of list and watch: read, checked, and turned into what a source wants.

Source: ListOptions of k8s.io/apimachinery meta/v1.
"""

import re
from collections.abc import Mapping

from llmos.apimachinery.errors import BadRequestError
from llmos.endpoints.http import Request
from llmos.watchcache.listing import ListOptions

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")


def list_options(request: Request) -> ListOptions:
    """The paging and revision options of a list.

    Raises:
        BadRequestError: ``limit`` is not a number.
    """
    query = request.query
    query_number(query, "timeoutSeconds")
    return ListOptions(
        limit=query_number(query, "limit"),
        continue_token=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        match=query.get("resourceVersionMatch", ""),
    )


def timeout_seconds(request: Request, default: float) -> float:
    """How long a watch stays open.

    Raises:
        BadRequestError: ``timeoutSeconds`` is not a number.
    """
    seconds = query_number(request.query, "timeoutSeconds")
    return min(float(seconds), 86400.0) if seconds > 0 else default


def query_number(query: Mapping[str, str], name: str) -> int:
    """A number of a query; 0 where there is none.

    Raises:
        BadRequestError: it is no number of 64 bits.
    """
    text = query.get(name, "")
    if not text:
        return 0
    # int() alone would take "1_0", spaces and the digits of other scripts.
    number = int(text) if _INTEGER.fullmatch(text) else 1 << 64
    if not -(1 << 63) <= number < 1 << 63:
        raise BadRequestError(f'strconv.ParseInt: parsing "{text[:64]}": invalid syntax')
    return number
