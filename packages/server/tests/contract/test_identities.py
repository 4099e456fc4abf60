"""Identities at other providers, and whose they are."""

import asyncio
from dataclasses import replace

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict
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
