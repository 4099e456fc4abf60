"""Whatever dies or fails at whatever step: what was told is what is booked, once, and nothing stays held."""

import pytest

from packages.server.tests.adapters.leasing.simulated import replay, simulate

SEEDS = 500
AT_ONCE = 25


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_world_ends_with_books_that_agree_with_what_was_told(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        try:
            simulate(seed)
        except BaseException as wrong:
            wrong.add_note(f"again: {replay(seed)}")
            raise
