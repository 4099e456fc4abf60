"""What the operator's commands about prices do, on the books of the configured gateway."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from monkey_coder_server.adapters.prices.genai import price_source
from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.bootstrap.prices import CurrentPrices, installed
from monkey_coder_server.bootstrap.pricing import pricing_of
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.domain.money import parse_percent, percent, usd
from monkey_coder_server.domain.price_diff import Change, Difference, compare
from monkey_coder_server.domain.price_list import PriceList, Schedule, book_at
from monkey_coder_server.domain.pricing import PriceBook
from monkey_coder_server.features import pricing
from monkey_coder_server.features.pricing.price_lines import price_list, prices_of
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.operating import COMMANDS


@asynccontextmanager
async def open_pricing(settings: Settings) -> AsyncIterator[pricing.Dependencies]:
    """The feature over the configured books. Before any book is activated, prices are those that are installed."""
    async with open_books(settings) as books:
        yield _pricing(books)


def _pricing(books: Books) -> pricing.Dependencies:
    storage, markup = books.storage, parse_percent(books.settings.markup_percent)
    schedule = _charged(books)
    prices = CurrentPrices(lambda: schedule, books.clock, markup=markup, rules=lambda: storage.markups.known)
    return pricing_of(books, Catalog(card for provider in PROVIDERS for card in provider.offers), prices)


def _charged(books: Books) -> Schedule:
    return books.storage.price_books.known or installed(PROVIDERS, books.clock.now())


async def list_prices(settings: Settings, *, plan: str | None, provider: str | None) -> dict[str, Any]:
    """What a plan is charged now. Raises `GatewayError`."""
    async with open_pricing(settings) as use:
        found = await prices_of(use, COMMANDS, plan=plan, provider=provider)
    shown: dict[str, Any] = msgspec.to_builtins(found)
    return shown


def price_lines(found: dict[str, Any]) -> list[str]:
    """The same for people: USD per million tokens."""
    head = (
        f"price book {found['price_book']}, plan {found['plan']}; USD per million tokens: input, cached, output as the "
        "provider bills, markup, input, cached, output as the plan pays, margin, since"
    )
    rows = [
        f"{each['model']:48} {each['input_usd']:>9} {each['cached_usd']:>9} {each['output_usd']:>9} "
        f"{percent(each['markup_basis_points']):>7} {each['price_input_usd']:>9} {each['price_cached_usd']:>9} "
        f"{each['price_output_usd']:>9} {each['margin_percent']:>6}%  {each['effective_from'] or '-':10} "
        f"{each['source']}"
        for each in found["prices"]
    ]
    refused = [f"{model}: {why}" for model, why in found["refused"].items()]
    return [head, *rows, *(["not on offer:", *refused] if refused else [])]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What would be charged after an activation, beside what is charged now. `number`: the newest activation's."""

    number: int
    activated: PriceBook
    candidate: PriceBook
    changes: Sequence[Change]
    later: Sequence[str]
    """The days on which prices are known to change after it."""


async def diff(settings: Settings) -> Candidate:
    """What the installed price data would change. Raises `GatewayError`."""
    async with open_books(settings) as books:
        await books.note("prices.diff", price_source())
        return _candidate(books)


def _candidate(books: Books) -> Candidate:
    now = books.clock.now()
    schedule, (charged, _) = installed(PROVIDERS, now), book_at(_charged(books), now)
    book = schedule[0][1]
    later = [starts_at.date().isoformat() for starts_at, _ in schedule[1:]]
    return Candidate(books.storage.price_books.number, charged, book, compare(charged, book), later)


async def activate(settings: Settings, seen: Candidate, reason: str) -> list[str]:
    """Charge by the installed price data from now on; the line that says so. Raises `Conflict` if it is not as seen."""
    async with open_books(settings) as books:
        now, found = books.clock.now(), _candidate(books)
        if (found.number, found.candidate.id) == (seen.number, seen.candidate.id):
            done = await books.storage.price_books.activate(
                installed(PROVIDERS, now),
                source=price_source(),
                by=COMMANDS.name,
                reason=reason,
                at=now,
                after=seen.number,
            )
            if done:
                told = f"{len(seen.changes)} models change from {seen.activated.id}; {reason}"
                await books.note("prices.activate", seen.candidate.id, told)
                return [f"activated {seen.candidate.id}; running gateways charge by it within ten seconds"]
    raise Conflict("Another book was activated meanwhile; look at the difference again.")


def diff_document(found: Candidate) -> dict[str, Any]:
    """The difference as one JSON document."""
    return {
        "activated": found.activated.id,
        "candidate": found.candidate.id,
        "source": price_source(),
        "changes": [
            {
                "model": each.model,
                "kind": each.kind,
                "suspicious": each.suspicious,
                "prices": [_difference(one) for one in each.differences],
            }
            for each in found.changes
        ],
        "changes_later": list(found.later),
    }


def diff_lines(found: Candidate) -> list[str]:
    """The difference for people: USD per million tokens, what jumps marked with !."""
    head = f"activated {found.activated.id}, installed {found.candidate.id} ({price_source()})"
    lines = [line for each in found.changes for line in _change_lines(each)]
    if not found.changes:
        lines.append("no price changes")
    jumps = sum(each.suspicious for each in found.changes)
    if jumps:
        lines.append(f"{jumps} prices jump (!): look at the provider's own price list before you activate them")
    if found.later:
        lines.append(f"prices are known to change on {', '.join(found.later)}; they will by themselves")
    return [head, *lines]


async def show(settings: Settings, book_id: str) -> dict[str, Any]:
    """A book that was charged by once, without markups, and when it was activated. Raises `NotFound`."""
    async with open_books(settings) as books:
        store = books.storage.price_books
        found = await store.kept(book_id)
        activations = [each for each in await store.activations() if each.book_id == book_id]
    if found is None:
        message = f"No book {book_id!r} was ever charged by; receipts name theirs."
        raise NotFound(message)
    listed: dict[str, Any] = msgspec.to_builtins(price_list(PriceList(found.book, MarkupTable(0)), "none", None))
    since = [{"from": each.starts_at.isoformat(), "by": each.by, "reason": each.reason} for each in activations]
    return {**listed, "source": found.source, "activations": since}


def _change_lines(change: Change) -> list[str]:
    if change.kind != "changed":
        return [f"  {change.kind:8} {change.model}"]
    return [
        f"{'!' if each.suspicious else ' '} {change.kind:8} {change.model:48} {each.what}: {_usd(each.old)} -> "
        f"{_usd(each.new)}{_moved(each)}"
        for each in change.differences
    ]


def _difference(each: Difference) -> dict[str, Any]:
    moved = each.basis_points
    return {
        "what": each.what,
        "old_usd": None if each.old is None else usd(each.old),
        "new_usd": None if each.new is None else usd(each.new),
        "basis_points": moved,
    }


def _usd(amount: int | None) -> str:
    return "none" if amount is None else usd(amount)


def _moved(each: Difference) -> str:
    moved = each.basis_points
    return "" if moved is None else f" ({'+' if moved > 0 else '-'}{percent(abs(moved))})"
