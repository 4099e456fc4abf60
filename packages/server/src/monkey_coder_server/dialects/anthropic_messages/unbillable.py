"""What is refused because Anthropic would bill it otherwise than the usage and price row of the answer say."""

from collections.abc import Mapping

from monkey_coder_server.dialects.wire import as_list, as_object
from monkey_coder_server.domain.conversation import Json, ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest

_USUAL: Mapping[str, tuple[Json, ...]] = {"speed": ("standard",), "inference_geo": ("global",)}
"""Fields that change the price, and the values that leave it (platform.claude.com, fast mode and data residency)."""
_ELSEWHERE = {
    "fallbacks": "the answer may come from a model of another price",
    "fallback_credit_token": "it changes the price of the prompt",
    "compaction": "its tokens stand outside the usage we can bill",
    "thread": "what the model reads is kept at the provider, out of sight",
    "billing_policy": "another account is to pay",
}


def refuse_unbillable(request: ModelRequest) -> None:
    """Raise `InvalidRequest` for what we could not bill truly."""
    for tool in request.tools:
        if tool.server is not None:
            refuse_unbillable_tool(as_object(tool.server))
    for name, usual in _USUAL.items():
        if request.extra.get(name) not in (None, *usual):
            message = f"The field `{name}` may only be {usual[0]!r}: anything else has a price of its own."
            raise InvalidRequest(message)
    for name, why in _ELSEWHERE.items():
        if request.extra.get(name):
            message = f"The field `{name}` is not offered: {why}."
            raise InvalidRequest(message)
    _refuse_compaction(request.extra.get("context_management"))


def refuse_unbillable_tool(server: Mapping[str, Json]) -> None:
    """The advisor tool calls a second model whose tokens the answer's usage leaves out (only `iterations` has them)."""
    if str(server.get("type")).startswith("advisor_"):
        raise InvalidRequest("Anthropic's advisor tool is not offered: its tokens stand outside the usage we can bill.")


def _refuse_compaction(context_management: Json) -> None:
    """Compaction reads the whole context once more, and the answer's usage leaves that out, too."""
    edits = as_list(as_object(context_management).get("edits"))
    if any(str(as_object(edit).get("type")).startswith("compact_") for edit in edits):
        raise InvalidRequest("Anthropic's compaction is not offered: its tokens stand outside the usage we can bill.")
