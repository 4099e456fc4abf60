"""Mistakes put into an invoice on purpose, and what a reconciliation has to say of each: its kind and its subject."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from monkey_coder_server.domain.discrepancies import FindingKind
from monkey_coder_server.domain.invoices import Booked, Invoice, Invoiced

Place = tuple[str, str]
"""A day and a model."""
UNKNOWN_MODEL = "mystery-9"


@dataclass(slots=True)
class Plot:
    """An invoice being falsified. Every mistake takes rows no other mistake touches."""

    books: list[Booked]
    lines: list[Invoiced]
    by_request: bool
    random: Random
    canonical: Callable[[str], str | None]
    planted: set[tuple[FindingKind, str]] = field(default_factory=set)
    used: set[object] = field(default_factory=set)

    def expect(self, kind: FindingKind, subject: str) -> None:
        self.planted.add((kind, subject))

    def line_of(self, row: Booked) -> int:
        return next(at for at, line in enumerate(self.lines) if line.provider_request_id == row.provider_request_id)

    def row(self, wanted: Callable[[Booked], bool] = lambda _: True) -> Booked:
        """An untouched row with enough money in it to be wrong about."""
        free = [
            row
            for row in self.books
            if row.transaction_id not in self.used
            and row.model not in self.used
            and row.provider_request_id
            and not row.estimated
            and row.amount > 10_000
            and wanted(row)
        ]
        row = self.random.choice(free)
        self.used.add(row.transaction_id)
        return row

    def place(self, wanted: Callable[[list[int]], bool] = lambda _: True) -> tuple[Place, list[int]]:
        """An untouched day and model with the lines about it."""
        places: defaultdict[Place, list[int]] = defaultdict(list)
        for at, line in enumerate(self.lines):
            if line.model and (model := self.canonical(line.model)) is not None:
                places[line.day, model].append(at)
        estimated = {(row.day, row.model) for row in self.books if row.estimated}
        free = [
            (place, ats)
            for place, ats in sorted(places.items())
            if not {place, place[1]} & self.used
            and place not in estimated
            and sum(self.lines[at].amount or 0 for at in ats) > 100_000
            and wanted(ats)
        ]
        place, ats = self.random.choice(free)
        self.used.add(place)
        return place, ats


def subject(row: Booked) -> str:
    return f"{row.transaction_id}/{row.line}"


def off(random: Random, amount: int) -> int:
    """Another amount, neither within rounding nor a power of ten away."""
    return amount + amount * random.randint(13, 60) // 100 + 50


class OfRequests:
    """Mistakes in invoices of single requests."""

    @staticmethod
    def missing_at_provider(plot: Plot) -> None:
        row = plot.row()
        del plot.lines[plot.line_of(row)]
        plot.expect(FindingKind.MISSING_AT_PROVIDER, subject(row))

    @staticmethod
    def missing_in_books(plot: Plot) -> None:
        like = plot.lines[plot.line_of(plot.row())]
        name = f"never-{plot.random.randrange(10**9)}"
        plot.lines.append(replace(like, provider_request_id=name))
        plot.expect(FindingKind.MISSING_IN_BOOKS, name)

    @staticmethod
    def amount_differs(plot: Plot) -> None:
        _change(plot, FindingKind.AMOUNT_DIFFERS, lambda line: replace(line, amount=off(plot.random, line.amount or 0)))

    @staticmethod
    def duplicate_at_provider(plot: Plot) -> None:
        row = plot.row()
        plot.lines.insert(plot.random.randrange(len(plot.lines)), plot.lines[plot.line_of(row)])
        plot.expect(FindingKind.DUPLICATE_AT_PROVIDER, subject(row))

    @staticmethod
    def unknown_model(plot: Plot) -> None:
        _change(plot, FindingKind.UNKNOWN_MODEL, lambda line: replace(line, model=UNKNOWN_MODEL))

    @staticmethod
    def tokens_differ(plot: Plot) -> None:
        def more(line: Invoiced) -> Invoiced:
            counts = {**line.tokens, "output": line.tokens["output"] + plot.random.randint(1_000, 9_999)}
            return replace(line, tokens=counts, amount=off(plot.random, line.amount or 0))

        _change(plot, FindingKind.TOKENS_DIFFER, more)

    @staticmethod
    def wrong_bucket(plot: Plot) -> None:
        def uncached(line: Invoiced) -> Invoiced:
            return replace(line, tokens={**line.tokens, "cache_read": 0}, amount=off(plot.random, line.amount or 0))

        def outside(line: Invoiced) -> Invoiced:
            said = line.tokens["output"] - line.tokens["reasoning"]
            return replace(line, tokens={**line.tokens, "output": said})

        cached = any(row.tokens.cache_read and row.transaction_id not in plot.used for row in plot.books)
        if cached and plot.random.random() < 0.5:
            _change(plot, FindingKind.WRONG_BUCKET, uncached, lambda row: row.tokens.cache_read > 0)
        else:
            _change(plot, FindingKind.WRONG_BUCKET, outside, lambda row: 0 < row.tokens.reasoning < row.tokens.output)

    @staticmethod
    def wrong_unit(plot: Plot) -> None:
        scale = plot.random.choice((100, 1_000, 10))
        _change(plot, FindingKind.WRONG_UNIT, lambda line: replace(line, amount=(line.amount or 0) * scale))

    @staticmethod
    def other_currency(plot: Plot) -> None:
        _change(plot, FindingKind.WRONG_UNIT, lambda line: replace(line, currency="EUR"))

    @staticmethod
    def price_drift(plot: Plot) -> None:
        counts: defaultdict[str, list[Booked]] = defaultdict(list)
        for row in plot.books:
            counts[row.model].append(row)
        touched = {row.model for row in plot.books if row.transaction_id in plot.used}
        free = [
            model
            for model, rows in counts.items()
            if model not in plot.used | touched
            and len({row.day for row in rows}) >= 2
            and all(row.provider_request_id and not row.estimated and row.amount > 1_000 for row in rows)
        ]
        model = plot.random.choice(sorted(free))
        plot.used.add(model)
        since = plot.random.choice(
            [day for day in sorted({row.day for row in counts[model]}) if _many(counts, model, day)]
        )
        for row in counts[model]:
            if row.day >= since:
                at = plot.line_of(row)
                plot.lines[at] = replace(plot.lines[at], amount=(plot.lines[at].amount or 0) * 107 // 100 + 1)
        plot.expect(FindingKind.PRICE_DRIFT, f"{model} since {since}")


def _many(counts: dict[str, list[Booked]], model: str, day: str) -> bool:
    return sum(1 for row in counts[model] if row.day >= day) >= 3


def _change(
    plot: Plot,
    kind: FindingKind,
    make: Callable[[Invoiced], Invoiced],
    wanted: Callable[[Booked], bool] = lambda _: True,
) -> None:
    row = plot.row(wanted)
    at = plot.line_of(row)
    plot.lines[at] = make(plot.lines[at])
    plot.expect(kind, subject(row))


class OfSums:
    """Mistakes in invoices of sums over days and models."""

    @staticmethod
    def missing_at_provider(plot: Plot) -> None:
        (day, model), ats = plot.place()
        plot.lines = [line for at, line in enumerate(plot.lines) if at not in ats]
        plot.expect(FindingKind.MISSING_AT_PROVIDER, f"{day} {model}")

    @staticmethod
    def missing_in_books(plot: Plot) -> None:
        (_, model), ats = plot.place()
        day = f"2026-09-{plot.random.randint(10, 28)}"
        plot.lines += [replace(plot.lines[at], day=day) for at in ats]
        plot.expect(FindingKind.MISSING_IN_BOOKS, f"{day} {model}")

    @staticmethod
    def amount_differs(plot: Plot) -> None:
        place, ats = plot.place()
        at = max(ats, key=lambda each: plot.lines[each].amount or 0)
        plot.lines[at] = replace(plot.lines[at], amount=off(plot.random, plot.lines[at].amount or 0))
        plot.expect(FindingKind.AMOUNT_DIFFERS, " ".join(place))

    @staticmethod
    def duplicate_at_provider(plot: Plot) -> None:
        _, ats = plot.place()
        at = max(ats, key=lambda each: plot.lines[each].amount or 0)
        copy = replace(plot.lines[at], name=f"again {plot.random.randrange(10**9)}")
        plot.lines.append(copy)
        plot.expect(FindingKind.DUPLICATE_AT_PROVIDER, copy.name)

    @staticmethod
    def unknown_model(plot: Plot) -> None:
        _, ats = plot.place()
        name = f"unheard of {plot.random.randrange(10**9)}"
        plot.lines.append(replace(plot.lines[ats[0]], model=UNKNOWN_MODEL, name=name, amount=12_345))
        plot.expect(FindingKind.UNKNOWN_MODEL, name)

    @staticmethod
    def tokens_differ(plot: Plot) -> None:
        place, _ = plot.place(lambda ats: any(plot.lines[at].tokens.get("output") for at in ats))
        at = _with(plot, place, "output")
        counts = {**plot.lines[at].tokens, "output": plot.lines[at].tokens["output"] + 777_777}
        plot.lines[at] = replace(plot.lines[at], tokens=counts)
        plot.expect(FindingKind.TOKENS_DIFFER, " ".join(place))

    @staticmethod
    def wrong_bucket(plot: Plot) -> None:
        place, _ = plot.place(lambda ats: any(plot.lines[at].tokens.get("cache_read") for at in ats))
        read, plain = _with(plot, place, "cache_read"), _with(plot, place, "uncached_input")
        moved = plot.lines[read].tokens["cache_read"]
        if read == plain:
            counts = dict(plot.lines[read].tokens)
            counts["cache_read"], counts["uncached_input"] = 0, counts["uncached_input"] + moved
            plot.lines[read] = replace(plot.lines[read], tokens=counts)
        else:
            plot.lines[read] = replace(plot.lines[read], tokens={"cache_read": 0})
            more = plot.lines[plain].tokens["uncached_input"] + moved
            plot.lines[plain] = replace(plot.lines[plain], tokens={"uncached_input": more})
        plot.expect(FindingKind.WRONG_BUCKET, " ".join(place))

    @staticmethod
    def wrong_unit(plot: Plot) -> None:
        place, ats = plot.place()
        for at in ats:
            amount = plot.lines[at].amount
            plot.lines[at] = replace(plot.lines[at], amount=None if amount is None else amount * 100)
        plot.expect(FindingKind.WRONG_UNIT, " ".join(place))

    @staticmethod
    def other_currency(plot: Plot) -> None:
        place, ats = plot.place()
        for at in ats:
            plot.lines[at] = replace(plot.lines[at], currency="EUR")
        plot.expect(FindingKind.WRONG_UNIT, " ".join(place))

    @staticmethod
    def price_drift(plot: Plot) -> None:
        places: defaultdict[str, set[str]] = defaultdict(set)
        for line in plot.lines:
            if line.model and line.amount and (model := plot.canonical(line.model)) is not None:
                places[model].add(line.day)
        touched = {used[1] for used in plot.used if isinstance(used, tuple)}
        guessed = {row.model for row in plot.books if row.estimated}
        free = [
            model for model, days in places.items() if len(days) >= 3 and model not in plot.used | touched | guessed
        ]
        model = plot.random.choice(sorted(free))
        plot.used.add(model)
        since = sorted(places[model])[-3]
        for at, line in enumerate(plot.lines):
            if line.amount and plot.canonical(line.model) == model and line.day >= since:
                plot.lines[at] = replace(line, amount=line.amount * 109 // 100 + 1)
        plot.expect(FindingKind.PRICE_DRIFT, f"{model} since {since}")


def _with(plot: Plot, place: Place, kind: str) -> int:
    return next(
        at
        for at, line in enumerate(plot.lines)
        if (line.day, plot.canonical(line.model)) == place and kind in line.tokens
    )


KINDS = (
    "price_drift",
    "missing_at_provider",
    "missing_in_books",
    "amount_differs",
    "duplicate_at_provider",
    "unknown_model",
    "tokens_differ",
    "wrong_bucket",
    "wrong_unit",
    "other_currency",
)


def planted(
    books: list[Booked],
    invoice: Invoice,
    canonical: Callable[[str], str | None],
    random: Random,
    kinds: tuple[str, ...],
) -> tuple[Invoice, set[tuple[FindingKind, str]]]:
    """The invoice with a mistake of each of these kinds, and what has to be found in it."""
    plot = Plot(books, list(invoice.lines), invoice.by_request, random, canonical)
    ways = OfRequests if invoice.by_request else OfSums
    for kind in kinds:
        getattr(ways, kind)(plot)
    return replace(invoice, lines=tuple(plot.lines)), plot.planted
