"""The input of a request that is passed on: thoughts of another provider are left out, all else keeps every byte."""

from collections.abc import Iterator

import msgspec

from monkey_coder_server.dialects import seals
from monkey_coder_server.dialects.openai_responses.forwarded_tools import allowed, entries
from monkey_coder_server.dialects.openai_responses.names import HOME
from monkey_coder_server.dialects.openai_responses.parameters import thinks
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.catalog import ModelCard

_PROOFS = frozenset({"reasoning", "compaction"})
"""Items that only the provider that wrote them can read."""


class _Item(msgspec.Struct, gc=False):
    type: str | None = None
    encrypted_content: str | None = None
    tools: msgspec.Raw = msgspec.Raw()


_item = msgspec.json.Decoder(_Item).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def fit_input(body: dict[str, msgspec.Raw], card: ModelCard, quirks: Quirks, dropped: list[str]) -> None:
    """Keep what this provider can read."""
    given = entries(body.get("input", msgspec.Raw()))
    kept = [item for raw in given for item in _fitted(raw, card, quirks, dropped)]
    if kept != list(given):
        body["input"] = msgspec.Raw(write_json(kept))


def _fitted(raw: msgspec.Raw, card: ModelCard, quirks: Quirks, dropped: list[str]) -> Iterator[msgspec.Raw]:
    try:
        item = _item(raw)
    except msgspec.ValidationError:
        yield raw
        return
    if item.type == "reasoning" and not thinks(card):
        return  # OpenAI refuses it: "Reasoning input items can only be provided to a reasoning … model"
    if item.type in _PROOFS:
        yield from _readable(raw, item.encrypted_content, quirks.provider)
    elif item.type == "additional_tools":
        offered = entries(item.tools)
        kept = list(allowed(offered, card.model, quirks, dropped))
        yield raw if len(kept) == len(offered) else _with(raw, "tools", kept)
    else:
        yield raw


def _readable(raw: msgspec.Raw, given: str | None, provider: str) -> Iterator[msgspec.Raw]:
    """The item as its own provider wrote it. One without a proof means nothing to anybody: no item is kept anywhere."""
    if given is None:
        return
    origin, proof = seals.unseal(given, home=HOME)
    if origin == provider and proof:
        yield raw if proof == given else _with(raw, "encrypted_content", proof)


def _with(raw: msgspec.Raw, name: str, value: object) -> msgspec.Raw:
    return msgspec.Raw(write_json({**_fields(raw), name: value}))
