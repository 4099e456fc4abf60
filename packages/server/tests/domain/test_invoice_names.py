import pytest

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.invoice_names import canonical_names

CARDS = [
    ModelCard("openai", name, name, 1, 1, frozenset(), 1, aliases=aliases)
    for name, aliases in (("gpt-4o", ("chatgpt",)), ("gpt-4o-mini", ()), ("gpt-4o-2024-05-13", ()))
]


@pytest.mark.parametrize(
    ("named", "ours"),
    [
        ("gpt-4o", "gpt-4o"),
        (" GPT-4o-mini ", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4o-20240718", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("models/gpt-4o", "gpt-4o"),
        ("chatgpt", "gpt-4o"),
        ("gpt-5", None),
        ("gpt-4o-audio", None),
    ],
)
def test_names_on_invoices_are_ours_with_or_without_their_date(named: str, ours: str | None) -> None:
    assert canonical_names(CARDS)(named) == ours
