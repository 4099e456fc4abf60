"""`monkey receipts`."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply
from packages.client.tests.test_receipts import KEYS, signed

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
