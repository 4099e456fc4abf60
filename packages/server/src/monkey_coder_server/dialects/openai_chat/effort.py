"""How much a model is asked to think, in the words that model takes."""

from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.reasoning_effort import longest_prefix, nearest_effort, wanted_effort
from monkey_coder_server.domain.conversation import ModelRequest


def effort_for(request: ModelRequest, model: str, quirks: Quirks) -> str | None:
    """The `reasoning_effort` to send; None to send none."""
    if request.reasoning is None:
        return None
    allowed = longest_prefix(quirks.efforts, model)
    if not allowed:
        return None
    wanted = wanted_effort(request.reasoning)
    return None if wanted is None else nearest_effort(wanted, allowed)
