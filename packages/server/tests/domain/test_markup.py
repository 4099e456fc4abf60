"""The most specific markup wins."""

import pytest

from monkey_coder_server.domain.markup import MarkupRule, MarkupTable

TABLE = MarkupTable(
    1_500,
    (
        MarkupRule(basis_points=1_000, plan="pro"),
        MarkupRule(basis_points=800, provider="groq"),
        MarkupRule(basis_points=700, plan="pro", provider="groq"),
        MarkupRule(basis_points=500, model="gpt-5"),
        MarkupRule(basis_points=501, model="gpt-5"),
        MarkupRule(basis_points=0, plan="enterprise", model="gpt-5"),
    ),
)


@pytest.mark.parametrize(
    ("plan", "provider", "model", "expected"),
    [
        ("hobby", "openai", "o3", 1_500),
        ("pro", "openai", "o3", 1_000),
        ("hobby", "groq", "llama", 800),
        ("pro", "groq", "llama", 700),
        ("pro", "openai", "gpt-5", 500),
        ("enterprise", "openai", "gpt-5", 0),
        ("hobby", "groq", "gpt-5", 500),
    ],
)
def test_model_beats_provider_beats_plan_beats_the_default(plan: str, provider: str, model: str, expected: int) -> None:
    assert TABLE.basis_points(plan=plan, provider=provider, model=model) == expected


@pytest.mark.parametrize("points", [0, 1_000_000])
def test_a_markup_is_from_nothing_to_ten_thousand_per_cent(points: int) -> None:
    table = MarkupTable(points)
    assert table.basis_points(plan="hobby", provider="openai", model="o3") == points


@pytest.mark.parametrize("points", [-1, 1_000_001])
def test_a_markup_out_of_range_is_refused(points: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        MarkupRule(basis_points=points)
    with pytest.raises(ValueError, match="out of range"):
        MarkupTable(points)
