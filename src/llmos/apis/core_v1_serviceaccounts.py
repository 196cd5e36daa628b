"""ServiceAccounts; their tokens are authentication's.

Source: kubernetes/pkg/registry/core/serviceaccount.
"""

from llmos.apimachinery.names import dns1123_subdomain
from llmos.apis.printing import PLAIN
from llmos.apis.strategy import Strategy


def strategy() -> Strategy:
    """The strategy of ``serviceaccounts``."""
    return Strategy(check_name=dns1123_subdomain, delete_returns_object=True, columns=PLAIN)
