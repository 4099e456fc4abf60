"""Rates of accounts: kept, seen by every process, read without the database."""

from dataclasses import replace

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.rates import Measure, RateRule
from packages.server.tests.contract.booking import ACCOUNT, NOON
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_keys import LAPTOP
from packages.server.tests.contract.test_teams import BLOG, WEB, firm, key_in

__all__ = ["firm"]
TEAM = Holder(HolderKind.TEAM, WEB.team_id)
KEY = Holder(HolderKind.KEY, "key_shop")
RULES = (
    RateRule(Holder(HolderKind.ACCOUNT, ACCOUNT), Measure.REQUESTS, 1_000),
    RateRule(Holder(HolderKind.ORGANIZATION, ACCOUNT), Measure.REQUESTS, 900),
    RateRule(TEAM, Measure.TOKENS, 10**12, "openai/gpt-5"),
    RateRule(TEAM, Measure.TOKENS, 2_000_000),
    RateRule(Holder(HolderKind.PROJECT, BLOG.project_id), Measure.CONCURRENCY, 0),
)


async def test_every_process_sees_a_rule_and_what_becomes_of_it(firm: Storage, open_store: OpenStore) -> None:
    async with open_store() as other:
        for rule in RULES:
            await firm.rates.put(ACCOUNT, rule)
        await other.rates.refresh()
        raised, gone = RULES[0]._replace(allowed=1_100), RULES[3]
        await other.rates.put(ACCOUNT, raised)
        await other.rates.remove(ACCOUNT, gone._replace(allowed=7))
        expected = {raised, *RULES[1:]} - {gone}
        assert set(other.rates.standing(ACCOUNT)) == set(await other.rates.rules(ACCOUNT)) == expected
        await firm.rates.refresh()
        assert set(firm.rates.standing(ACCOUNT)) == expected
    async with open_store() as later:
        assert set(later.rates.standing(ACCOUNT)) == expected
        assert list(later.rates.standing("acc_others")) == list(await later.rates.rules("acc_others")) == []


async def test_a_keys_own_requests_stand_with_the_key_and_all_else_among_the_rules(firm: Storage) -> None:
    await firm.keys.create(replace(LAPTOP, key_id=KEY.id, user_id="user_ada", rate=60))
    own, tokens = RateRule(KEY, Measure.REQUESTS, 90), RateRule(KEY, Measure.TOKENS, 5)
    for rule in (own, tokens, own._replace(model="openai/gpt-5")):
        await firm.rates.put(ACCOUNT, rule)
    found = await firm.keys.find(LAPTOP.digest)
    assert found is not None
    assert found.rate == 90
    assert set(firm.rates.standing(ACCOUNT)) == {tokens, own._replace(model="openai/gpt-5")}
    await firm.rates.remove(ACCOUNT, own)
    found = await firm.keys.find(LAPTOP.digest)
    assert found is not None
    assert found.rate is None


async def test_a_rule_of_a_key_that_is_not_the_accounts_is_refused(firm: Storage) -> None:
    await firm.keys.create(replace(LAPTOP, key_id=KEY.id, user_id="user_ada"))
    for account_id, holder in ((ACCOUNT, Holder(HolderKind.KEY, "key_none")), ("acc_others", KEY)):
        for measure in (Measure.REQUESTS, Measure.TOKENS):
            with pytest.raises(NotFound):
                await firm.rates.put(account_id, RateRule(holder, measure, 1))
    assert list(firm.rates.standing(ACCOUNT)) == list(firm.rates.standing("acc_others")) == []


async def test_what_was_deleted_is_listed_no_more_but_binds_its_last_requests(firm: Storage) -> None:
    await key_in(firm, "key_blog", BLOG)
    for rule in RULES:
        await firm.rates.put(ACCOUNT, rule)
    await firm.teams.archive_team(ACCOUNT, WEB.team_id, NOON)
    assert set(await firm.rates.rules(ACCOUNT)) == set(RULES[:2])
    assert set(firm.rates.standing(ACCOUNT)) == set(RULES)
