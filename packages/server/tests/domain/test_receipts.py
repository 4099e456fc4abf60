"""A receipt has one text, and a chain of them shows every change."""

import hashlib
import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.receipts import (
    FIRST_PREVIOUS,
    Attempt,
    Branch,
    Receipt,
    canonical_body,
    canonical_json,
    chain_hash,
    receipt_id_of,
    signing_key_id,
    verify_chain,
)
from monkey_coder_server.domain.usage import Usage


def receipt(previous: str = FIRST_PREVIOUS, *, number: int = 1, charge: int = 1_234_500) -> Receipt:
    return Receipt(
        receipt_id=f"rcp_{number}",
        request_id=f"req_{number}",
        account_id="acc_1",
        key_id="key_1",
        at="2026-11-23T07:00:00Z",
        provider="anthropic",
        model="claude-sonnet-4-5",
        attempts=(Attempt("openai", "gpt-5", "overloaded"), Attempt("anthropic", "claude-sonnet-4-5", "served")),
        usage=Usage(uncached_input=10, cache_read=5, output=7, reasoning=2, units=MappingProxyType({"searches": 1})),
        price_row="anthropic/claude-sonnet-4-5",
        price_book="b" * 32,
        markup_basis_points=1_500,
        hold=2_000_000,
        charge=charge,
        cache_saving=-3,
        finish_reason="stop",
        client_gone=False,
        cancel_policy=None,
        previous=previous,
    )


def chain(length: int) -> list[tuple[str, str]]:
    pairs, previous = [], FIRST_PREVIOUS
    for number in range(length):
        body = canonical_body(receipt(previous, number=number, charge=number))
        previous = chain_hash(previous, body)
        pairs.append((body, previous))
    return pairs


def test_the_body_is_canonical_and_holds_every_figure() -> None:
    body = canonical_body(receipt())
    parsed = json.loads(body)
    assert body == json.dumps(parsed, sort_keys=True, separators=(",", ":"))
    assert (parsed["charge_nano"], parsed["charge_usd"]) == (1_234_500, "0.0012345")
    assert (parsed["hold_usd"], parsed["cache_saving_usd"]) == ("0.002", "-0.000000003")
    assert parsed["tokens"] == {
        "uncached_input": 10,
        "cache_read": 5,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "output": 7,
        "reasoning": 2,
    }
    assert parsed["attempts"][0] == {"provider": "openai", "model": "gpt-5", "outcome": "overloaded"}
    assert parsed["units"] == {"searches": 1}
    assert parsed["price_row"] == "anthropic/claude-sonnet-4-5"
    assert not parsed["estimated"]


def test_the_body_tells_the_markup_and_not_what_we_paid() -> None:
    parsed = json.loads(canonical_body(receipt()))
    assert parsed["markup_basis_points"] == 1_500
    assert not [name for name in parsed if "cost" in name]


def test_the_chain_hash_is_plain_sha256_anybody_can_redo() -> None:
    body = canonical_body(receipt())
    assert chain_hash(FIRST_PREVIOUS, body) == hashlib.sha256(b"0" * 64 + body.encode()).hexdigest()


def test_text_beyond_ascii_is_escaped() -> None:
    assert canonical_json({"b": "é", "a": 1}) == '{"a":1,"b":"\\u00e9"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


@given(
    st.tuples(*[st.text(max_size=12)] * 5),
    st.tuples(*[st.integers(-(10**19), 10**19)] * 4),
    st.none() | st.text(max_size=8),
    st.dictionaries(st.text(max_size=8), st.integers(0, 10**5), max_size=3),
    st.lists(st.tuples(*[st.text(max_size=8)] * 3), max_size=3),
)
@settings(max_examples=100)
def test_the_body_is_the_canonical_text_of_its_figures_whatever_they_are(
    texts: tuple[str, ...],
    amounts: tuple[int, ...],
    cancel_policy: str | None,
    units: dict[str, int],
    attempts: list[tuple[str, ...]],
) -> None:
    drawn: dict[str, Any] = {
        **dict(zip(("provider", "model", "price_row", "finish_reason", "account_id"), texts, strict=True)),
        **dict(zip(("hold", "charge", "cache_saving", "markup_basis_points"), amounts, strict=True)),
    }
    issued = receipt()._replace(
        **drawn,
        cancel_policy=cancel_policy,
        attempts=tuple(Attempt(*each) for each in attempts),
        client_gone=bool(attempts),
        usage=Usage(uncached_input=1, cache_write_5m=2, cache_write_1h=3, estimated=bool(units), units=units),
    )
    body = canonical_body(issued)
    parsed = json.loads(body)
    assert canonical_json(parsed) == body
    told = issued._asdict()
    usage = told.pop("usage")._asdict()
    attempts_told = told.pop("attempts")
    assert told.pop("branches") == ()
    amounts_told = {name: told.pop(name) for name in ("charge", "hold", "cache_saving")}
    assert parsed == {
        **told,
        **{f"{name}_nano": amount for name, amount in amounts_told.items()},
        **{f"{name}_usd": usd(amount) for name, amount in amounts_told.items()},
        "attempts": [each._asdict() for each in attempts_told],
        "version": 1,
        "units": usage["units"],
        "estimated": bool(units),
        "tokens": {
            name: usage[name]
            for name in ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
        },
    }


@given(st.integers(0, 6))
@settings(max_examples=10)
def test_an_untouched_chain_holds(length: int) -> None:
    assert verify_chain(chain(length)) is None


def test_a_part_of_a_chain_can_be_checked() -> None:
    pairs = chain(4)[2:]
    assert verify_chain(pairs, previous=None) is None
    assert verify_chain(pairs, previous=json.loads(pairs[0][0])["previous"]) is None
    found = verify_chain(pairs)
    assert found
    assert (found.position, "does not follow" in found.problem) == (0, True)


def test_a_missing_receipt_breaks_the_chain_where_it_is_missing() -> None:
    pairs = chain(4)
    found = verify_chain([pairs[0], pairs[2], pairs[3]])
    assert found
    assert found.position == 1


@given(st.integers(0, 2), st.data())
@settings(max_examples=80)
def test_any_change_to_any_body_is_found(position: int, data: st.DataObject) -> None:
    pairs = chain(3)
    body, claimed = pairs[position]
    place = data.draw(st.integers(0, len(body) - 1))
    letter = data.draw(st.sampled_from('0123456789abcxyz{}",: é'))
    changed = body[:place] + letter + body[place + 1 :]
    pairs[position] = (changed, claimed)
    found = verify_chain(pairs)
    assert (found is None) == (changed == body)
    assert found is None or found.position == position


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("not json", "canonical"),
        ("[]", "canonical"),
        ('{"a": 1}', "canonical"),
        ('{"a":"\u00e9"}', "canonical"),
        ('{"a":1}', "names no previous"),
        ('{"previous":"abc"}', "names no previous"),
        (canonical_body(receipt()).replace('"charge_usd":"0.0012345"', '"charge_usd":"0.0012346"'), "contradict"),
        (canonical_body(receipt()).replace('"charge_nano":1234500', '"charge_nano":true'), "contradict"),
        (canonical_body(receipt()), "does not belong"),
    ],
)
def test_a_broken_receipt_is_told_apart(body: str, problem: str) -> None:
    found = verify_chain([(body, "f" * 64)])
    assert found
    assert problem in found.problem


def test_a_receipts_id_follows_from_its_requests() -> None:
    assert receipt_id_of("req_01ABC") == "rcpt_01ABC"


def test_a_signing_keys_name_follows_from_it() -> None:
    assert signing_key_id(b"\x01" * 32) == hashlib.sha256(b"\x01" * 32).hexdigest()[:16]


def test_branches_are_told_of_only_where_there_are_some_and_stay_canonical() -> None:
    branch = Branch(
        "openai", "gpt-5", Usage(uncached_input=3, output=4), 12_000_000, "openai/gpt-5", "b" * 32, 500, True
    )
    plain, told = receipt(), receipt()._replace(branches=(branch, branch._replace(kept=False)))
    assert "branches" not in json.loads(canonical_body(plain))
    body = canonical_body(told)
    assert canonical_json(json.loads(body)) == body
    assert [each["kept"] for each in json.loads(body)["branches"]] == [True, False]
    assert json.loads(body)["branches"][0]["price_usd"] == "0.012"
    assert verify_chain([(body, chain_hash(FIRST_PREVIOUS, body))]) is None


def test_a_branch_says_whose_turn_it_was_in_what_role_only_where_a_team_worked() -> None:
    branch = Branch("openai", "gpt-5", Usage(output=4), 12_000_000, "openai/gpt-5", "b" * 32, 500, kept=True)
    body = canonical_body(receipt()._replace(branches=(branch._replace(agent=2, role="critique"), branch)))
    assert canonical_json(json.loads(body)) == body
    turn, plain = json.loads(body)["branches"]
    assert (turn.pop("agent"), turn.pop("role")) == (2, "critique")
    assert turn == plain
    assert verify_chain([(body, chain_hash(FIRST_PREVIOUS, body))]) is None
