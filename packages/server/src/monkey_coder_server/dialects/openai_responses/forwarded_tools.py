"""The tools of a request that is passed on: those the model cannot be offered are left out, others keep every byte."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.openai_responses.tools import TOOLS, cannot_insist, hosted
from monkey_coder_server.dialects.wire import as_object, as_text, parse_json, write_json

_SAYABLE: Final = frozenset({"custom", "namespace"})
"""Types of tools every model can be told of as functions."""


class _Kind(msgspec.Struct, gc=False):
    type: str | None = None


class _Offer(msgspec.Struct, gc=False):
    type: str | None = None
    server_label: str | None = None
    environment: msgspec.Raw = msgspec.Raw()


_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_kind = msgspec.json.Decoder(_Kind).decode
_offer = msgspec.json.Decoder(_Offer).decode
_NOTHING = msgspec.Raw()


def is_said_otherwise(body: dict[str, msgspec.Raw], model: str, quirks: Quirks) -> bool:
    """Whether the conversation needs words this model does not have, though it can be told in others."""
    offered = (kind_of(raw) for raw in entries(body.get("tools", _NOTHING)))
    if any(kind in _SAYABLE and not quirks.takes(kind, model) for kind in offered):
        return True
    return any(not quirks.takes_item(kind_of(raw), model) for raw in entries(body.get("input", _NOTHING)))


def fit_tools(body: dict[str, msgspec.Raw], model: str, quirks: Quirks, dropped: list[str]) -> None:
    """Keep the tools that may be offered. Raises `InvalidRequest` when the caller insists on another."""
    offered = entries(body.get("tools", _NOTHING))
    kept = list(allowed(offered, model, quirks, dropped))
    if len(kept) == len(offered):
        return
    choice = parse_json(body["tool_choice"]) if "tool_choice" in body else None
    wanted = as_text(as_object(choice).get("type"))
    lost = [name for name in map(_name, offered) if f"{TOOLS}{name}" in dropped]
    if wanted is not None and not quirks.takes(wanted, model) and wanted in {kind_of(raw) for raw in offered}:
        raise cannot_insist(wanted)
    if choice == "required" and not kept:
        raise cannot_insist(lost[0])
    if kept:
        body["tools"] = msgspec.Raw(write_json(kept))
        return
    for name in ("tools", "tool_choice", "parallel_tool_calls"):
        body.pop(name, None)


def allowed(offered: Sequence[msgspec.Raw], model: str, quirks: Quirks, dropped: list[str]) -> Iterator[msgspec.Raw]:
    """The tools that may be offered to a model; the others are named in `dropped`."""
    for raw in offered:
        offer = _read(raw)
        environment = as_object(parse_json(offer.environment)) if offer.environment else {}
        if quirks.takes(hosted(offer.type or "", environment), model):
            yield raw
        else:
            dropped.append(f"{TOOLS}{_name(raw)}")


def entries(raw: msgspec.Raw) -> Sequence[msgspec.Raw]:
    """The entries of an array, as they were written; none of anything else."""
    try:
        return _raws(raw) if raw else ()
    except msgspec.ValidationError:
        return ()


def kind_of(raw: msgspec.Raw) -> str:
    """The `type` of an entry; empty where it has none."""
    try:
        return _kind(raw).type or ""
    except msgspec.ValidationError:
        return ""


def _read(raw: msgspec.Raw) -> _Offer:
    try:
        return _offer(raw)
    except msgspec.ValidationError:
        return _Offer(kind_of(raw))


def _name(raw: msgspec.Raw) -> str:
    offer = _read(raw)
    return f"{offer.type}.{offer.server_label}" if offer.server_label else offer.type or "unnamed"
