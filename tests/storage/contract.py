"""What any storage must do: one suite, run on every implementation and every way to keep it.

The promises C1 to C6 of ``llmos.storage.interface`` and the cases of Kubernetes' own storage tests
(k8s.io/apiserver/pkg/storage/testing). A case is an async function of an ``Opener``; its name says
what must hold. Cases marked ``reopens`` need a storage that finds again what it kept.
"""

from storage import contract_memory, contract_reads, contract_watch, contract_writes
from storage.tools import HELD, Case

CONTRACT: list[Case] = HELD
"""Every case, filled by the modules imported here."""

__all__ = ["CONTRACT", "contract_memory", "contract_reads", "contract_watch", "contract_writes"]
