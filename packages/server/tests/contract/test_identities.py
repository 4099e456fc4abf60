"""Identities at other providers, and whose they are."""

import asyncio
from dataclasses import replace

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.ports.sign_in import Identity
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.test_organizations import person

GOOGLE = Identity("google", "7", "ada@example.org")


@pytest.fixture
async def two(store: Storage) -> Storage:
    """A store with two people."""
    for name in ("ada", "bob"):
        await store.accounts.create(person(name))
    return store


async def test_an_identity_is_found_by_provider_and_subject_alone(two: Storage) -> None:
    await two.identities.link(GOOGLE, "user_ada", NOON)
    assert await two.identities.find("google", "7") == "user_ada"
    assert await two.identities.of_user("user_ada") == [GOOGLE]
    for provider, subject in (("github", "7"), ("google", "8"), ("google", GOOGLE.email)):
        assert await two.identities.find(provider, subject) is None


async def test_of_two_who_link_one_identity_at_once_one_has_it(two: Storage) -> None:
    linking = [two.identities.link(GOOGLE, user_id, NOON) for user_id in ("user_ada", "user_bob")]
    came = await asyncio.gather(*linking, return_exceptions=True)
    assert sorted(type(each) for each in came if each is not None) == [Conflict]


async def test_nobody_has_two_identities_of_one_provider(two: Storage) -> None:
    await two.identities.link(GOOGLE, "user_ada", NOON)
    with pytest.raises(Conflict):
        await two.identities.link(replace(GOOGLE, subject="8"), "user_ada", NOON)
    await two.identities.link(replace(GOOGLE, provider="github"), "user_ada", NOON)
    assert await two.identities.find("google", "8") is None


async def test_an_identity_that_is_taken_away_opens_nothing_and_is_free_again(two: Storage) -> None:
    await two.identities.link(GOOGLE, "user_ada", NOON)
    with pytest.raises(NotFound):
        await two.identities.unlink("user_bob", "google")
    await two.identities.unlink("user_ada", "google")
    assert await two.identities.find("google", "7") is None
    with pytest.raises(NotFound):
        await two.identities.unlink("user_ada", "google")
    await two.identities.link(GOOGLE, "user_bob", NOON)


async def test_of_two_that_go_at_once_the_last_one_stays(two: Storage) -> None:
    both = ("google", "github")
    for provider in both:
        await two.identities.link(replace(GOOGLE, provider=provider), "user_ada", NOON)
    going = [two.identities.unlink("user_ada", provider, unless_last_of=both) for provider in both]
    came = await asyncio.gather(*going, return_exceptions=True)
    assert [type(each) for each in came if each is not None] == [Conflict]
    assert len(await two.identities.of_user("user_ada")) == 1


async def test_an_identity_at_a_provider_that_is_gone_is_no_way_in(two: Storage) -> None:
    for provider in ("google", "gone"):
        await two.identities.link(replace(GOOGLE, provider=provider), "user_ada", NOON)
    with pytest.raises(Conflict):
        await two.identities.unlink("user_ada", "google", unless_last_of=("google", "github"))
    await two.identities.unlink("user_ada", "gone", unless_last_of=("google", "github"))
