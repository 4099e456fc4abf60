"""What translation loses is published, and nothing else is lost."""

import os

import pytest

from packages.server.tests.losslessness import answers, features, requests
from packages.server.tests.losslessness.dialects import SPOKEN
from packages.server.tests.losslessness.page import TARGET, page

NEVER_LOST = ("instructions", "a picture, inline", "a tool", "a call and its result", "a call without arguments",
              "a picture in a result", "a tool that must be called", "the longest answer", "temperature")  # fmt: skip
ALWAYS_TOLD = ("text", "thinking", "a call", "calls side by side", "a call without arguments", "cut off at the limit")
each_dialect = pytest.mark.parametrize("name", SPOKEN)


@each_dialect
@pytest.mark.parametrize("feature", NEVER_LOST)
def test_what_every_dialect_can_say_reaches_every_provider(name: str, feature: str) -> None:
    spoken = SPOKEN[name]
    assert requests.difference(features.FEATURES[feature](spoken.home), spoken) == ""


@each_dialect
@pytest.mark.parametrize("feature", ALWAYS_TOLD)
def test_what_every_dialect_can_say_reaches_every_caller(name: str, feature: str) -> None:
    assert answers.difference(feature, SPOKEN[name]) == ""


@each_dialect
@pytest.mark.parametrize("feature", ["thinking with a signature", "hidden thinking", "a signed call"])
def test_proofs_of_thought_come_back_with_their_origin_where_the_dialect_has_a_place_for_them(
    name: str, feature: str
) -> None:
    assert answers.difference(feature, SPOKEN[name]) == ""


@each_dialect
@pytest.mark.parametrize("feature", ["cut off at the limit", "stopped by a filter", "a call the model could not make"])
def test_an_early_end_is_never_a_plain_stop(name: str, feature: str) -> None:
    assert "becomes `stop`" not in answers.difference(feature, SPOKEN[name])


def test_the_published_page_is_what_the_round_trips_give() -> None:
    text = page()
    if os.environ.get("LOSSLESSNESS_WRITE") == "1":
        TARGET.write_text(text, encoding="utf-8")
    assert TARGET.read_text(encoding="utf-8") == text
