"""`usage.cost`: what an answer cost its caller, inside the usage object of its dialect."""

import msgspec

from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.front import Bill

_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Whole(msgspec.Struct, gc=False):
    usage: msgspec.Raw = msgspec.Raw()


_whole = msgspec.json.Decoder(_Whole)


def cost_of(bill: Bill) -> msgspec.Raw:
    """USD as a JSON number, every digit exact."""
    return msgspec.Raw(usd(bill.cost).encode())


def usage_in(body: bytes) -> bytes:
    """What an answer says at `usage`, as it stands there; nothing where it says nothing."""
    return bytes(_whole.decode(body).usage)


def with_cost(body: bytes, bill: Bill) -> bytes:
    """An answer as it came, with the cost added to its `usage`; without a usage object, just as it came."""
    usage = usage_in(body)
    if not usage.startswith(b"{"):
        return body
    before, _, after = body.rpartition(usage)
    return before + msgspec.json.encode({**_objects.decode(usage), "cost": cost_of(bill)}) + after
