"""What every value made once a request is built on."""

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """A frozen value. Making one costs a tenth of a frozen dataclass; none may hold anything that leads back to it."""
