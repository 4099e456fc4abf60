"""The ledger of a process that admits by itself: holds in memory on leases, endings in the journal, books behind.

See `docs/decisions/0013-leases-and-journal.md`.
"""

from monkey_coder_server.adapters.leasing.ledger import LeasedLedger
from monkey_coder_server.adapters.leasing.parts import Timing

__all__ = ["LeasedLedger", "Timing"]
