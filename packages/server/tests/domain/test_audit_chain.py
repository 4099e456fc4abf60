"""A changed, missing or misplaced entry breaks the chain where it is."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.audit_chain import FIRST_PREVIOUS, Link, Walk, digest

TOLD = [["ada", "key.create", number] for number in range(4)]


def chain(*, covered: int = 0) -> list[Link]:
    """Four entries, the first of which may have no places of their own."""
    links, newest = [], FIRST_PREVIOUS
    for number, told in enumerate(TOLD):
        previous, newest = newest, digest(newest, told)
        places = (number + 1, previous, newest) if number >= covered else (None, None, None)
        links.append(Link(number + 10, told, *places))
    return links


def walked(links: list[Link], *, covered: int = 0) -> tuple[Walk, list[str]]:
    walk = Walk(covered)
    return walk, [wrong for link in links if (wrong := walk.take(link))]


def test_a_whole_chain_has_nothing_wrong_and_ends_in_its_newest_digest() -> None:
    walk, wrong = walked(chain())
    assert (walk.chained, walk.beside, wrong) == (4, 0, [])
    assert walk.head == chain()[-1].digest


def test_a_digest_is_that_of_the_bytes_the_page_on_the_trail_describes() -> None:
    assert digest(FIRST_PREVIOUS, ["é", 1]).hex() == "68346eec21b602e37169e6596a4f56a7abf72bc9bdf594b193f44b62de071af2"


def test_a_changed_entry_is_found() -> None:
    links = chain()
    links[1] = replace(links[1], told=["eve", "key.create", 1])
    assert walked(links)[1] == ["entry 2 says other than its digest: it was changed"]


def test_an_entry_changed_with_its_digest_is_found_by_the_next() -> None:
    links = chain()
    told = ["eve", "key.create", 1]
    links[1] = replace(links[1], told=told, digest=digest(links[1].previous or b"", told))
    assert walked(links)[1] == ["entry 3 does not hold the digest of what stands before it: that was changed"]


def test_a_missing_entry_is_found() -> None:
    links = chain()
    del links[1]
    assert walked(links)[1] == ["entry 3 follows on 1: entries between them are missing"]


@pytest.mark.parametrize("change", ["said", "gone"])
def test_entries_of_before_the_chain_are_vouched_for_by_its_first(change: str) -> None:
    links = chain(covered=2)
    assert walked(links, covered=2)[1] == []
    if change == "said":
        links[0] = replace(links[0], told=["eve"])
    else:
        del links[0]
    assert len(walked(links, covered=2)[1]) == 1


def test_what_an_earlier_release_wrote_beside_the_chain_is_counted() -> None:
    links = chain()
    walk, wrong = walked([*links[:2], Link(99, ["old"]), *links[2:]])
    assert (walk.chained, walk.beside, wrong) == (4, 1, [])
    assert walked([Link(1, ["old"]), *links])[0].beside == 1
