"""An account opened without a password gets one nobody knows, whatever the filter of leaked ones takes it for."""

from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.features.accounts import operator

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Suspicious:
    """Takes the first texts for leaked ones, as a filter of hashes takes one in thousands."""

    def __init__(self, *, first: int) -> None:
        self.left = first

    def hold(self, _form: str) -> bool:
        self.left -= 1
        return self.left >= 0


async def test_a_drawn_password_that_looks_leaked_is_drawn_again(house: Any) -> None:
    common = Suspicious(first=3)
    use = replace(house.gateway.books.accounts, common_passwords=common)
    made = await operator.create_user(use, email="drawn@example.com", password=None, credit=0, plan=None)
    assert made.user.email == "drawn@example.com"
    assert common.left < 0, "it was asked until it knew none of the forms"
