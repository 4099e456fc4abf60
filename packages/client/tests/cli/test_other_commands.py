"""Models, money, keys, feedback: what they ask and print."""

import json
from collections.abc import Callable

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import ANSWER, KEY, FakeGateway, reply

Monkey = Callable[..., Ran]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["models"], "openai    gpt-5-mini  400,000    $0.25     $2.00"),
        (["providers"], "openai    active  yes           1"),
        (["balance"], "available              $4.49877"),
        (["usage"], "$0.00246 · 2 requests · 2,460 tokens"),
        (["usage"], "2026-11-01 to 2026-11-30 (UTC)"),
        (["quote", "x"], "openai/gpt-5-mini   $0.0012    $0.25"),
        (["health"], "status   healthy"),
        (["keys", "list"], "mk-test-0123"),
        (["keys", "revoke", "key_1", "--yes"], "The key was revoked."),
        (["keys", "revoke", "key_1", "--dry-run"], "Would revoke key_1 (laptop)."),
        (["feedback", "r", "tests_passed"], "Thank you: r tests passed."),
        (["auth", "status"], "ada@example.com"),
        (["auth", "token"], KEY),
        (["config", "get", "baseUrl"], "http://localhost:8000"),
        (["config", "get", "apiKey"], "mk-…ghij"),
        (["config", "get", "apiKey", "--origin"], "(environment)"),
        (["config", "list"], "mk-…ghij"),
        (["chat", "hello"], ANSWER),
        (["help", "keys", "create"], "Usage: monkey keys create"),
    ],
)
def test_each_command_prints_words_and_with_json_one_document(monkey: Monkey, arguments: list[str], words: str) -> None:
    plain = monkey(*arguments)
    assert plain.code == 0, plain.err
    assert words in plain.out
    as_json = monkey("--json", *arguments)
    assert as_json.code == 0, as_json.err
    json.loads(as_json.out)
    if arguments[-1] != "token":
        assert KEY not in plain.out + as_json.out


def test_money_in_json_is_a_decimal_string(monkey: Monkey) -> None:
    assert json.loads(monkey("balance", "--json").out)["available_usd"] == "4.49877"
    assert json.loads(monkey("usage", "--json").out)["total_cost"] == "0.00246"


def test_a_balance_tells_of_debt_and_freeze_when_there_is_any(monkey: Monkey, gateway: FakeGateway) -> None:
    assert not {"debt", "frozen"} & set(monkey("balance").out.split())
    shown = json.loads(monkey("balance", "--json").out)
    gateway.on("/v1/billing/balance", reply(shown | {"debt_usd": "1.25", "frozen": "fraud_warning"}))
    lines = [line.split("  ") for line in monkey("balance").out.splitlines()]
    told = {line[0]: line[-1].strip() for line in lines}
    assert (told["debt"], told["frozen"]) == ("$1.25", "fraud warning")


def test_a_created_key_is_alone_on_stdout(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("keys", "create", "ci", "--model", "m", "--month-usd", "20", "--expires-days", "9", "--rate", "5")
    assert ran.out == f"{KEY}\n"
    assert "It is not shown again" in ran.err
    assert gateway.seen[0].body == {
        "name": "ci",
        "models": ["m"],
        "caps": {"month_usd": "20"},
        "rate": 5,
        "expires_days": 9,
    }


def test_a_tiny_cap_is_written_without_an_exponent(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("keys", "create", "ci", "--total-usd", "0.00000001")
    assert gateway.seen[0].body == {"name": "ci", "caps": {"total_usd": "0.00000001"}}


def test_a_key_says_how_its_requests_are_routed(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("keys", "create", "ci", "--collapse", "vote", "--weights", "quality=2,latency=1")
    assert gateway.seen[0].body == {"name": "ci", "collapse": "vote", "weights": {"quality": 2, "latency": 1}}


def test_a_key_can_be_capped_in_tokens_and_belong_to_a_project(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey(
        "keys", "create", "ci", "--day-usd", "2", "--day-tokens", "500", "--total-tokens", "9000", "--project", "web"
    )
    assert gateway.seen[0].body == {
        "name": "ci",
        "caps": {"day_usd": "2", "day_tokens": 500, "total_tokens": 9000},
        "project_id": "web",
    }


def test_a_key_can_be_limited_in_tokens_a_minute_and_requests_at_once(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("keys", "create", "ci", "--rate-tokens", "9000", "--concurrency", "4")
    monkey("keys", "create", "ci", "--rate", "5", "--concurrency", "4")
    assert [each.body["rate"] for each in gateway.seen] == [
        {"tokens": 9000, "concurrency": 4},
        {"requests": 5, "concurrency": 4},
    ]


def test_revoking_asks_for_the_id(monkey: Monkey, gateway: FakeGateway, person: Callable[[str], None]) -> None:
    person("key_2\n")
    ran = monkey("keys", "revoke", "key_1")
    assert (ran.code, gateway.seen) == (1, [])
    person("key_1\n")
    assert monkey("keys", "revoke", "key_1").code == 0
    assert gateway.seen[0].method == "DELETE"
    assert monkey("keys", "revoke", "other", "--dry-run").code == 2


def test_usage_passes_the_period(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("usage", "--from", "2026-11-01", "--to", "2026-11-30", "--by", "month")
    assert gateway.seen[0].query == {
        "start_date": "2026-11-01",
        "end_date": "2026-11-30",
        "granularity": "monthly",
    }


def test_empty_lists_say_so(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/models", reply({"data": [], "models": {}, "count": 0}))
    gateway.on("/v1/providers", reply({"providers": {}, "count": 0, "status": "active"}))
    gateway.on("/v1/keys", reply({"keys": [], "count": 0}))
    outs = [monkey(*words).out for words in (["models"], ["providers"], ["keys", "list"])]
    assert outs == ["No models.\n", "No providers.\n", "No keys.\n"]
