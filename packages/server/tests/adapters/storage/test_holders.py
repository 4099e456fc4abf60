"""How the tables name who holds a limit, which the code of two releases reads."""

import pytest

from monkey_coder_server.adapters.storage.counting import read_holder, stored
from monkey_coder_server.domain.limits import Holder, HolderKind

KNOWN_BEFORE = {"account", "project", "key"}


@pytest.mark.parametrize("kind", HolderKind)
def test_every_holder_is_read_back_and_named_in_words_of_the_release_before(kind: HolderKind) -> None:
    whole = kind in {HolderKind.ACCOUNT, HolderKind.ORGANIZATION}
    holder = Holder(kind, "acc_1" if whole else "some.id-1_2")
    assert read_holder(stored(holder), "acc_1") == holder
    assert stored(holder).partition(":")[0] in KNOWN_BEFORE


def test_no_two_holders_have_one_name() -> None:
    assert len({stored(Holder(kind, "team")) for kind in HolderKind}) == len(HolderKind)
