"""Sends a request to a model of another format, reads it as that format's front would, and tells what is different."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    ModelRequest,
    Reasoning,
    ToolResult,
)
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.losslessness.dialects import Spoken
from packages.server.tests.losslessness.differing import differences

LIMIT = 9_000
"""Tokens; some formats want a limit with every request."""
_SETTINGS = ("tools", "tool_choice", "sampling", "reasoning", "output", "user")


def difference(request: ModelRequest, spoken: Spoken) -> str:
    """What the format cannot say of a request; nothing where it says all of it."""
    limit = request.sampling.max_tokens or LIMIT
    asked = replace(request, sampling=replace(request.sampling, max_tokens=limit))
    try:
        wire = spoken.codec.encode(asked, card=spoken.card, key="k", stream=False)
        back = spoken.front.read(wire.body, spoken.envelope).request
    except InvalidRequest as refused:
        return f"refused: “{refused.message}”"
    found = list(dict.fromkeys(differences(_canonical(asked), _canonical(back))))
    named = ", ".join(f"`{name}`" for name in wire.dropped)
    return "; ".join([*([f"named in `x-monkey-dropped` as {named}"] if found and named else []), *found])


def _canonical(request: ModelRequest) -> dict[str, Any]:
    """A request so that only what it says counts, not how it is cut into turns or what goes without saying."""
    said = [part for message in request.messages for part in _parts(message)]
    settings: dict[str, Any] = {name: getattr(request, name) for name in _SETTINGS}
    settings["tools"] = [replace(tool, strict=tool.strict or False) for tool in request.tools]
    if request.reasoning is not None and not request.reasoning.enabled:
        settings["reasoning"] = Reasoning(enabled=False)
    return {"turns": said, **settings}


def _parts(message: Message) -> Iterator[tuple[str, Any]]:
    for part in message.parts:
        if isinstance(part, ToolResult):
            inside = tuple(_plain(one) for one in part.parts)
            yield "tool", replace(part, name=None, parts=inside)  # its call names the tool
        else:
            yield message.role.value, _plain(part)
    if message.name is not None:
        yield message.role.value, f"name {message.name}"


def _plain(part: Any) -> Any:
    """A picture or a file by its data or address alone: what kind it is goes without saying."""
    if isinstance(part, Image | Document) and (part.url or "").startswith("data:"):
        head, _, data = (part.url or "").partition(",")
        part = replace(part, url=None, data=data, media_type=head.removeprefix("data:").partition(";")[0])
    return replace(part, media_type=None) if isinstance(part, Image | Document) else part
