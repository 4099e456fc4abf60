"""Why no model may serve a request, as the one error that helps most."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from monkey_coder_server.domain.catalog import Selection
from monkey_coder_server.domain.errors import (
    ContextTooLong,
    GatewayError,
    InvalidRequest,
    ModelNotAllowed,
    ModelNotFound,
    PriceUnknown,
)
from monkey_coder_server.domain.routing import Excluded, Exclusion

ERROR_OF: Mapping[Exclusion, type[GatewayError]] = MappingProxyType(
    {
        Exclusion.CONTEXT_TOO_LONG: ContextTooLong,
        Exclusion.MISSING_CAPABILITY: InvalidRequest,
        Exclusion.NO_PRICE: PriceUnknown,
        Exclusion.NO_KEY: ModelNotFound,
        Exclusion.NOT_ALLOWED: ModelNotAllowed,
        Exclusion.NOT_PREFERRED: InvalidRequest,
    }
)
"""The model that came nearest to serving says what stands in the way: the further down, the sooner it was left out."""
_NEAREST_FIRST = tuple(ERROR_OF)


def no_candidate(selection: Selection, excluded: Sequence[Excluded], *, input_tokens: int) -> GatewayError:
    """The error for a selection of which nothing is left. Of a prompt that is too long, the facts say by how much."""
    if not excluded:
        return ModelNotFound(f"No model serves {selection.asked!r} here; GET /v1/models lists all names.")
    nearest = min(excluded, key=lambda each: _NEAREST_FIRST.index(each.why))
    others = len(excluded) - 1
    suffix = f" {others} other models were left out too; POST /v1/router/debug says why." if others else ""
    facts = {"model": nearest.name}
    if nearest.ruling is not None:
        holder, part, _ = nearest.ruling
        facts |= {"rule": part.value, "holder": holder.kind.value, "holder_id": holder.id}
    if nearest.why is Exclusion.CONTEXT_TOO_LONG:
        window = next(card.most_input_tokens for card in selection.cards if card.name == nearest.name)
        facts |= {"input_tokens": str(input_tokens), "context_window": str(window)}
    return ERROR_OF[nearest.why](f"{nearest.reason}{suffix}", facts=facts)
