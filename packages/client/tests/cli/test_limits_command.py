"""`monkey limits`: what counts for a key, who says so, and why models are left out."""

import json
from collections.abc import Callable

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply
from packages.client.tests.organization_answers import POLICY, RULE

Monkey = Callable[..., Ran]


def test_all_that_counts_is_shown_with_who_says_so(monkey: Monkey, gateway: FakeGateway) -> None:
    ruled = {**RULE, "max_output_usd": "15.00", "capabilities": ["tools"], "data_policies": ["no_training"]}
    answer = {**POLICY, "rules": [ruled]}
    gateway.on("/v1/limits", reply(answer)).on("/v1/limits", reply(answer))
    ran = monkey("limits")
    assert ran.code == 0, ran.err
    for words in (
        "600 requests a minute *",
        "199.00",
        "output≤15.00 tools no_training",
        "1 allowed, 1 left out",
        "Left out: xai/grok: A rule of the team team_1 denies it.",
    ):
        assert words in ran.out
    assert json.loads(monkey("limits", "--json").out)["rates"] == POLICY["rates"]


def test_another_key_or_a_project_is_asked_for_by_name(monkey: Monkey, gateway: FakeGateway) -> None:
    nothing = {**POLICY, "rates": [], "limits": [], "rules": [], "excluded": []}
    gateway.on("/v1/limits", reply(nothing)).on("/v1/limits", reply(nothing))
    assert "No rates." in monkey("limits", "--project", "shop").out
    assert monkey("limits", "--key-id", "key_2").code == 0
    assert [seen.query for seen in gateway.seen] == [{"project_id": "shop"}, {"key_id": "key_2"}]
    assert monkey("limits", "--project", "shop", "--key-id", "key_2").code == 2


def test_rates_are_not_set_without_a_number(monkey: Monkey) -> None:
    assert monkey("orgs", "rates", "set", "organization").code == 2
