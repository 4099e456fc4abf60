"""Receipts: one canonical JSON body a charge, chained by hash for each key.

The body is JSON with sorted keys, no spaces and only ASCII; nano-dollars are integers, USD are decimal strings. The
chain hash is the SHA-256, in hex, of the previous chain hash's hex text followed by the body; the first previous hash
is 64 zeros. Signatures (Ed25519 over the body's bytes) are made by an adapter. Anybody can check both offline.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _text
from typing import NamedTuple

from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.usage import Usage

VERSION = 1
FIRST_PREVIOUS = "0" * 64
KEY_ID_CHARACTERS = 16

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode
_NANO_AND_USD = ("charge", "hold", "cache_saving")


class Attempt(NamedTuple):
    """One call to a provider; `outcome` is `served` or a failure kind."""

    provider: str
    model: str
    outcome: str


class Branch(NamedTuple):
    """One of several answers a charge was for; `price` in nano-dollars, `kept` for the one the caller got.

    `agent` and `role` are of a team's turn: who took it, counted from 1, and what for. Elsewhere they are not written.
    """

    provider: str
    model: str
    usage: Usage
    price: int
    price_row: str
    price_book: str
    markup_basis_points: int
    kept: bool
    agent: int = 0
    role: str = ""


class Receipt(NamedTuple):
    """What a charge was for. `at` is ISO 8601 UTC; amounts are nano-dollars; `previous` is the chain hash before.

    Where several answers were asked for, `branches` says what each came to, and `usage` is theirs together.
    """

    receipt_id: str
    request_id: str
    account_id: str
    key_id: str
    at: str
    provider: str
    model: str
    attempts: tuple[Attempt, ...]
    usage: Usage
    price_row: str
    price_book: str
    markup_basis_points: int
    hold: int
    charge: int
    cache_saving: int
    finish_reason: str
    client_gone: bool
    cancel_policy: str | None
    previous: str
    branches: tuple[Branch, ...] = ()


def receipt_id_of(request_id: str) -> str:
    """The receipt's id, known before the charge is, so that a reply's first bytes can name it."""
    return f"rcpt_{request_id.rpartition('_')[2]}"


def signing_key_id(public_key: bytes) -> str:
    """The name of a raw public key: the first characters of its SHA-256, in hex, so that no other fits it."""
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_CHARACTERS]


def canonical_body(receipt: Receipt) -> str:
    """The text that is hashed and signed; written out here in the order of its keys, for every charge waits for it."""
    used = receipt.usage
    branches = f',"branches":[{",".join(map(_branch, receipt.branches))}]' if receipt.branches else ""
    cancel_policy = "null" if receipt.cancel_policy is None else _text(receipt.cancel_policy)
    return (
        f'{{"account_id":{_text(receipt.account_id)},"at":{_text(receipt.at)}'
        f',"attempts":[{",".join(map(_attempt, receipt.attempts))}]{branches}'
        f',"cache_saving_nano":{receipt.cache_saving},"cache_saving_usd":"{usd(receipt.cache_saving)}"'
        f',"cancel_policy":{cancel_policy}'
        f',"charge_nano":{receipt.charge},"charge_usd":"{usd(receipt.charge)}"'
        f',"client_gone":{_truth(receipt.client_gone)},"estimated":{_truth(used.estimated)}'
        f',"finish_reason":{_text(receipt.finish_reason)}'
        f',"hold_nano":{receipt.hold},"hold_usd":"{usd(receipt.hold)}"'
        f',"key_id":{_text(receipt.key_id)},"markup_basis_points":{receipt.markup_basis_points}'
        f',"model":{_text(receipt.model)},"previous":{_text(receipt.previous)}'
        f',"price_book":{_text(receipt.price_book)},"price_row":{_text(receipt.price_row)}'
        f',"provider":{_text(receipt.provider)}'
        f',"receipt_id":{_text(receipt.receipt_id)},"request_id":{_text(receipt.request_id)}'
        f',{_counts(used)},"version":{VERSION}}}'
    )


def _branch(branch: Branch) -> str:
    agent = f'"agent":{branch.agent},' if branch.role else ""
    role = f',"role":{_text(branch.role)}' if branch.role else ""
    return (
        f'{{{agent}"estimated":{_truth(branch.usage.estimated)},"kept":{_truth(branch.kept)}'
        f',"markup_basis_points":{branch.markup_basis_points},"model":{_text(branch.model)}'
        f',"price_book":{_text(branch.price_book)},"price_nano":{branch.price},"price_row":{_text(branch.price_row)}'
        f',"price_usd":"{usd(branch.price)}","provider":{_text(branch.provider)}{role},{_counts(branch.usage)}}}'
    )


def _counts(used: Usage) -> str:
    units = canonical_json(dict(used.units)) if used.units else "{}"
    return (
        f'"tokens":{{"cache_read":{used.cache_read},"cache_write_1h":{used.cache_write_1h}'
        f',"cache_write_5m":{used.cache_write_5m},"output":{used.output},"reasoning":{used.reasoning}'
        f',"uncached_input":{used.uncached_input}}},"units":{units}'
    )


def _attempt(attempt: Attempt) -> str:
    return f'{{"model":{_text(attempt.model)},"outcome":{_text(attempt.outcome)},"provider":{_text(attempt.provider)}}}'


def _truth(value: bool) -> str:  # noqa: FBT001 - the value is what is written
    return "true" if value else "false"


def canonical_json(value: object) -> str:
    """JSON of which there is only one text: sorted keys, no spaces, ASCII."""
    return _encode(value)


def chain_hash(previous: str, body: str) -> str:
    """The hash that stands for this receipt and all before it."""
    return hashlib.sha256((previous + body).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a chain does not hold: the position of the receipt and one sentence."""

    position: int
    problem: str


def verify_chain(receipts: Iterable[tuple[str, str]], *, previous: str | None = FIRST_PREVIOUS) -> Breach | None:
    """Check (body, chain hash) pairs of one key in order; None when all hold.

    `previous` None starts from whatever the first body names, for a part of a chain.
    """
    for position, (body, claimed) in enumerate(receipts):
        parsed = _parsed(body)
        if parsed is None:
            return Breach(position, "The receipt's body is not JSON in canonical form.")
        problem = _problem(parsed, previous, claimed, body)
        if problem:
            return Breach(position, problem)
        previous = claimed
    return None


def _parsed(body: str) -> dict[str, object] | None:
    """The body as an object, or None when it is not the one canonical text of an object."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    canonical = isinstance(parsed, dict) and body.isascii() and canonical_json(parsed) == body
    return parsed if canonical else None


def _problem(parsed: dict[str, object], previous: str | None, claimed: str, body: str) -> str | None:
    """One sentence on what is wrong with a receipt in canonical form, if anything is."""
    named = parsed.get("previous")
    if not isinstance(named, str) or len(named) != 64:
        return "The receipt names no previous one."
    if previous is not None and named != previous:
        return "The receipt does not follow the one before it."
    if any(parsed.get(f"{name}_usd") != _usd_of(parsed.get(f"{name}_nano")) for name in _NANO_AND_USD):
        return "The receipt's amounts contradict each other."
    if chain_hash(named, body) != claimed:
        return "The chain hash does not belong to this receipt."
    return None


def _usd_of(nano: object) -> str | None:
    return usd(nano) if isinstance(nano, int) and not isinstance(nano, bool) else ""
