"""Sends a caller's own Gemini request on: byte for byte, but for the limit and what this model does not take.

Every value that needs no change keeps its bytes; a name that stands twice in one record, where readers differ, stands
once. Changed are
* `maxOutputTokens`: set to what is held for;
* `serviceTier`: left out, and named, because only the standard tier's price is known;
* sampling parameters and thinking settings the model refuses: left out or put in its own terms, and named;
* proofs of another provider's thoughts: replaced on a call by the word that skips the check, left out elsewhere;
* a call without any proof, for a model that refuses one: given that word.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

from monkey_coder_server.dialects.gemini.config import write_thinking
from monkey_coder_server.dialects.gemini.fields import documented, record
from monkey_coder_server.dialects.gemini.signatures import NO_SIGNATURE, SEALED, is_sealed
from monkey_coder_server.dialects.gemini.traits import ModelTraits
from monkey_coder_server.dialects.wire import as_list, as_object, parse_json, write_json
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, Source

_Pieces: TypeAlias = dict[str, msgspec.Raw]

_SAMPLING: Final = frozenset({"temperature", "topP", "topK", "presencePenalty", "frequencyPenalty"})
_STANDARD: Final = frozenset({b'"standard"', b'"service_tier_standard"', b'"service_tier_unspecified"', b"null"})
_pieces = msgspec.json.Decoder(_Pieces).decode


def forward(
    request: ModelRequest, source: Source, *, card: ModelCard, traits: ModelTraits
) -> tuple[bytes, tuple[str, ...]]:
    """The body for this model, and the names of parameters it does not take."""
    body = _pieces(source.body)
    dropped: list[str] = []
    _fit_config(body, request, card, traits, dropped)
    _fit_contents(body, traits)
    tier = body.pop(_spelling(body, "serviceTier"), None)
    if tier is not None and bytes(tier).lower() not in _STANDARD:
        dropped.append("serviceTier")
    return write_json(body), tuple(dropped)


def _fit_config(body: _Pieces, request: ModelRequest, card: ModelCard, traits: ModelTraits, dropped: list[str]) -> None:
    """Fit `generationConfig` to the model."""
    place = _spelling(body, "generationConfig")
    config = _pieces(body[place]) if place in body and bytes(body[place]) != b"null" else {}
    wanted = card.max_output_tokens if request.sampling.max_tokens is None else request.sampling.max_tokens
    limit = write_json(min(wanted, card.max_output_tokens))
    config[_spelling(config, "maxOutputTokens")] = msgspec.Raw(limit)
    if card.fixed_temperature:
        for name in [name for name in config if documented(name) in _SAMPLING]:
            del config[name]
            dropped.append(f"generationConfig.{documented(name)}")
    _fit_thinking(config, request, card, traits, dropped)
    body[place] = msgspec.Raw(write_json(config))


def _fit_thinking(
    config: _Pieces, request: ModelRequest, card: ModelCard, traits: ModelTraits, dropped: list[str]
) -> None:
    """Put `thinkingConfig` in the model's terms where it stands in another's."""
    place = _spelling(config, "thinkingConfig")
    if place not in config or request.reasoning is None:
        return
    given = record(parse_json(config[place]), place)
    thinks = Capability.REASONING in card.capabilities
    if thinks and _suits(given, traits):
        return
    dropped.append("generationConfig.thinkingConfig")
    del config[place]
    if thinks and (fitting := write_thinking(request.reasoning, traits)):
        config[place] = msgspec.Raw(write_json(fitting))


def _suits(given: dict[str, Json], traits: ModelTraits) -> bool:
    """Whether a model takes these settings as they are; Google refuses a budget beside a level."""
    level, budget = given.get("thinkingLevel"), given.get("thinkingBudget")
    if level is not None and str(level).lower() not in traits.levels:
        return False
    if budget is None or budget == -1 or traits.budget is None:
        return budget is None or not traits.levels
    if budget == 0:
        return traits.can_rest
    least, most = traits.budget
    return isinstance(budget, int) and least <= budget <= most


def _fit_contents(body: _Pieces, traits: ModelTraits) -> None:
    """See to the proofs of thought. Most bodies hold none that matter, and keep every byte."""
    raw = bytes(body.get("contents", b""))
    if SEALED.encode() not in raw and not (traits.signed_calls and b"unction" in raw):
        return
    given = parse_json(raw)
    contents = given if isinstance(given, list) else [given]
    written = [content for each in contents for content in _content(each, traits)]
    if written != contents:
        body["contents"] = msgspec.Raw(write_json(written))


def _content(content: Json, traits: ModelTraits) -> Iterator[Json]:
    """The turn with proofs this model can check; nothing of a turn that held only another's thoughts."""
    parts = as_list(as_object(content).get("parts"))
    kept = [_without_foreign_proof(part) for part in parts if not _is_foreign_thought(part)]
    if traits.signed_calls:
        first = next((at for at, part in enumerate(kept) if _field(part, "functionCall") is not None), None)
        if first is not None and not _field(kept[first], "thoughtSignature"):
            kept[first] = {**kept[first], "thoughtSignature": NO_SIGNATURE}
    if kept or not parts:
        yield {**content, "parts": kept} if kept != parts else content


def _is_foreign_thought(part: Json) -> bool:
    return _field(part, "thought") is True and is_sealed(_field(part, "thoughtSignature"))


def _without_foreign_proof(part: Json) -> Json:
    if not is_sealed(_field(part, "thoughtSignature")):
        return part
    kept = {name: value for name, value in part.items() if documented(name) != "thoughtSignature"}
    return {**kept, "thoughtSignature": NO_SIGNATURE} if _field(part, "functionCall") is not None else kept


def _field(part: Json, name: str) -> Json:
    """A field of a part in either spelling."""
    return next((value for given, value in as_object(part).items() if documented(given) == name), None)


def _spelling(pieces: _Pieces, name: str) -> str:
    """How the caller spells a field; as Google documents it where the caller leaves it out."""
    return next((given for given in pieces if documented(given) == name), name)
