"""`monkey receipts`."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply
from packages.client.tests.test_receipts import KEYS, chain, signed

Monkey = Callable[..., Ran]
RECEIPT = msgspec.to_builtins(signed())


@pytest.fixture(autouse=True)
def _served(gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/receipts/rcpt_1", *[reply(RECEIPT)] * 4)
    gateway.on("/.well-known/monkey-receipts.json", *[reply({"keys": KEYS})] * 4)


def test_a_receipt_is_shown_saved_and_verified_offline(monkey: Monkey, gateway: FakeGateway) -> None:
    assert "charge_usd  0.01" in monkey("receipts", "show", "rcpt_1").out
    assert monkey("receipts", "show", "rcpt_1", "-o", "r.json").code == 0
    assert json.loads(Path("r.json").read_text()) == RECEIPT
    Path("keys.json").write_text(json.dumps({"keys": KEYS}))
    gateway.seen.clear()
    ran = monkey("receipts", "verify", "r.json", "--keys", "keys.json")
    assert (ran.code, ran.out) == (0, "Receipt rcpt_1 is valid: the signature and the hash chain fit.\n")
    assert gateway.seen == []


def test_a_receipt_is_verified_by_its_id(monkey: Monkey) -> None:
    ran = monkey("receipts", "verify", "rcpt_1", "--json")
    assert ran.code == 0
    document = json.loads(ran.out)
    assert (document["valid"], document["body"]["charge_usd"]) == (True, "0.01")


def test_verifying_a_file_needs_no_login(monkey: Monkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkey("receipts", "show", "rcpt_1", "-o", "r.json")
    monkeypatch.delenv("MONKEY_CODER_API_KEY")
    assert monkey("receipts", "verify", "r.json").code == 0


def test_a_changed_receipt_is_code_1(monkey: Monkey) -> None:
    Path("r.json").write_text(json.dumps(RECEIPT | {"body": RECEIPT["body"].replace("0.01", "0.00")}))
    ran = monkey("receipts", "verify", "r.json", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["error"]["code"] == "receipt_invalid"
    assert "NOT valid" in ran.err


def test_a_file_that_is_no_receipt_is_code_65(monkey: Monkey) -> None:
    Path("r.json").write_text("{}")
    assert monkey("receipts", "verify", "r.json").code == 65


def paged(gateway: FakeGateway, receipts: list[object]) -> None:
    """The gateway gives them on two pages."""
    plain = msgspec.to_builtins(receipts)
    gateway.on(
        "/v1/billing/receipts",
        reply({"receipts": plain[:2], "next": "abc"}),
        reply({"receipts": plain[2:], "next": None}),
    )


def test_without_any_receipt_the_list_says_what_makes_one(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/receipts", *[reply({"receipts": [], "next": None})] * 2)
    told = monkey("receipts", "list").out
    assert told.startswith("There are no receipts of this time yet. Every request that is charged makes one")
    assert json.loads(monkey("receipts", "list", "--json").out) == {"receipts": []}


def test_receipts_are_listed_over_all_pages_and_saved_one_a_line(monkey: Monkey, gateway: FakeGateway) -> None:
    paged(gateway, [*chain(3)])
    ran = monkey("receipts", "list", "--from", "2026-11-01", "--for", "key_1", "-o", "all.jsonl")
    assert ran.code == 0
    assert len(Path("all.jsonl").read_text().splitlines()) == 3
    assert [seen.query.get("after") for seen in gateway.seen] == [None, "abc"]
    assert gateway.seen[0].query["key_id"] == "key_1"


def test_the_list_shows_what_was_charged(monkey: Monkey, gateway: FakeGateway) -> None:
    paged(gateway, [*chain(3)])
    assert monkey("receipts", "list").out.count("$0.01") == 3


def test_all_that_was_sent_is_verified_with_its_chain(monkey: Monkey, gateway: FakeGateway) -> None:
    paged(gateway, [*chain(3)])
    ran = monkey("receipts", "verify")
    assert (ran.code, ran.out) == (
        0,
        "3 receipts are valid, without a gap; chains of API keys: 1, 1 from their very first receipt on.\n",
    )


def test_one_receipt_is_spoken_of_as_one(monkey: Monkey, gateway: FakeGateway) -> None:
    paged(gateway, [*chain(1)])
    assert monkey("receipts", "verify").out.startswith("1 receipt is valid, without a gap;")


def test_a_gap_names_the_receipt_behind_it(monkey: Monkey, gateway: FakeGateway) -> None:
    first, _, third, fourth = chain(4)
    paged(gateway, [first, third, fourth])
    ran = monkey("receipts", "verify", "--json")
    assert ran.code == 1
    error = json.loads(ran.out)["error"]
    assert [gap["receipt_id"] for gap in error["gaps"]] == ["rcpt_key_1_2"]
    assert "The receipt before rcpt_key_1_2 is missing" in ran.err + error["message"]


def test_saved_receipts_need_no_gateway_once_its_keys_are_known(monkey: Monkey, gateway: FakeGateway) -> None:
    Path("all.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, chain(3))))
    assert monkey("receipts", "verify", "all.jsonl").code == 0
    gateway.seen.clear()
    assert monkey("receipts", "verify", "all.jsonl").code == 0
    assert gateway.seen == []


def test_a_key_that_changed_under_its_name_is_told(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("receipts", "verify", "rcpt_1")
    gateway.script["/.well-known/monkey-receipts.json"] = [reply({"keys": {"k1": "AAAA", "k2": KEYS["k1"]}})]
    Path("r.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(signed(), key_id="k2")))
    ran = monkey("receipts", "verify", "r.json")
    assert (ran.code, "another public key 'k1'" in ran.err) == (1, True)
