"""The number a request draws by: one for each request, or for each conversation."""

from hashlib import blake2b

from monkey_coder_server.domain.conversation import ModelRequest, Role, Text
from monkey_coder_server.features.inference.job import Job

OPENING = 200
"""Characters of a conversation's first words that tell it from others."""
_BYTES = 8


def uniform_of(job: Job) -> float:
    """A number in [0, 1) that stays the same for the request, and for all requests of one conversation.

    A conversation that began with a model shall go on with it: its prompt cache and its thoughts are there.
    """
    seed = job.request_id if job.request.source is None else _opening(job.principal.account_id, job.request)
    return (int.from_bytes(_digest(seed)) >> 11) / 2.0**53


def conversation_of(job: Job) -> str | None:
    """What tells a conversation from others of its account, as a hash; None where requests stand for themselves."""
    if job.request.source is None:
        return None
    return _digest(_opening(job.principal.account_id, job.request)).hex()


def _digest(seed: str) -> bytes:
    return blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


def _opening(account_id: str, request: ModelRequest) -> str:
    """Whose conversation, and the last of the first words of the user's own."""
    for message in request.messages:
        if message.role is Role.USER:
            words = [part.text for part in message.parts if isinstance(part, Text)]
            if words:
                return f"{account_id} {words[-1][:OPENING]}"
    return account_id
