"""Old names lead to their stated replacements only."""

import pytest

from monkey_coder_server.domain.historic_names import historic_successors


@pytest.mark.parametrize(
    ("name", "successors"),
    [
        ("gpt-4o", ["openai/gpt-4.1"]),
        ("gpt-4o-2024-08-06", ["gpt-4o", "openai/gpt-4.1"]),
        ("claude-3-5-sonnet-20241022", ["claude-3-5-sonnet", "anthropic/claude-sonnet-4-5"]),
        ("anthropic/claude-3-haiku-20240307", ["anthropic/claude-3-haiku", "anthropic/claude-haiku-4-5"]),
        ("gemini-1.5-pro-002", ["gemini-1.5-pro", "google/gemini-2.5-pro"]),
        ("gemini-flash-latest", ["gemini-flash", "google/gemini-3.8-flash"]),
        ("google/gemini-3.1-pro-preview-customtools", ["google/gemini-3.1-pro-preview"]),
        ("grok-2-1212", ["grok-2", "xai/grok-3"]),
        ("claude-sonnet-4-5-20250929", ["claude-sonnet-4-5"]),
        ("o1-mini", ["openai/o4-mini"]),
        ("gpt-5", []),
        ("gpt-4o-audio", []),
    ],
)
def test_successors_of_a_name(name: str, successors: list[str]) -> None:
    assert list(historic_successors(name)) == successors
