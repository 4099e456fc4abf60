"""Names of models on invoices, as names of the models we sell."""

import re
from collections.abc import Iterable

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.reconciliation import Canonical

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$", re.ASCII)
"""OpenAI and Anthropic bill an undated name as the dated one that served it."""


def canonical_names(cards: Iterable[ModelCard]) -> Canonical:
    """A function from a name on an invoice to ours: as it stands, an alias, or without its date."""
    known: dict[str, str] = {}
    for card in cards:
        known.setdefault(card.model.lower(), card.model)
    for card in cards:
        for alias in card.aliases:
            known.setdefault(alias.lower(), card.model)

    def canonical(name: str) -> str | None:
        plain = name.strip().lower().removeprefix("models/")
        return known.get(plain) or known.get(_DATED.sub("", plain))

    return canonical
