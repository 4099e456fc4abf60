"""The names agents send by themselves mean a model of the catalogue."""

import pytest

from monkey_coder_server.domain.catalog import Catalog, Mode
from monkey_coder_server.domain.historic_names import CALLED_OTHERWISE, REPLACED_BY
from packages.server.tests.providers.test_every_provider import ALL

CATALOG = Catalog(card for provider in ALL for card in provider.cards)


@pytest.mark.parametrize(
    "name",
    [
        "gemini-3.5-flash-lite",
        "gemini-3.8-flash",
        "gemini-3.1-pro-preview",
        "gemini-3.1-pro-preview-customtools",
        "gemini-3-pro-preview",
        "gemini-3-flash-preview",
        "gemini-3-flash",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "gemini-2.5-flash-lite",
        "gemini-flash-latest",
        "gemini-flash-lite-latest",
        "gemini-pro-latest",
    ],
)
def test_gemini_clis_router_finds_its_models(name: str) -> None:
    """Without `-m` it asks one model which of two others to take; none of them may be missing."""
    selection = CATALOG.resolve(f"models/{name}")
    assert selection.mode is Mode.PINNED
    assert {card.provider for card in selection.cards} == {"google"}


@pytest.mark.parametrize("name", [*REPLACED_BY.values(), *CALLED_OTHERWISE.values()])
def test_every_stated_replacement_is_there(name: str) -> None:
    (card,) = CATALOG.resolve(name).cards
    assert card.name == name
