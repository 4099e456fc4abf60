"""Sets an invoice beside our provider-cost books and says in what they differ. Rules: decisions/0022.

Requests are paired by the provider's own id where both sides have it, else as sums of a day and a model. Each thing
that is wrong is one finding; what rounding explains is none.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from monkey_coder_server.domain.discrepancies import Both, Finding, FindingKind, finding, judge
from monkey_coder_server.domain.drift import with_drift
from monkey_coder_server.domain.fees import with_fees
from monkey_coder_server.domain.invoices import Booked, Invoice, Invoiced
from monkey_coder_server.domain.midnight import without_midnight

Canonical = Callable[[str], str | None]
"""Our name of the model an invoice names; None when we sell no such model."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reconciliation came to. `rounding` is the sum of the differences that are no findings."""

    findings: tuple[Finding, ...]
    matched: int
    booked: int
    invoiced: int
    rounding: int

    @property
    def unexplained(self) -> int:
        """By how much money the two sides differ without a known reason, in nano-dollars."""
        return sum(each.unexplained for each in self.findings)

    @property
    def sound(self) -> bool:
        """Whether the two sides agree, estimates apart."""
        return all(each.kind is FindingKind.ESTIMATE_KNOWN for each in self.findings)


def reconcile(books: Sequence[Booked], invoice: Invoice, canonical: Canonical) -> Verdict:
    """Compare all rows of a period with the provider's invoice for it."""
    pairs = _by_request(books, invoice, canonical) if invoice.by_request else _by_day(books, invoice, canonical)
    return _verdict(pairs, books, invoice)


def reconcile_reported(books: Sequence[Booked]) -> Verdict:
    """Compare what answers said they cost (xAI, Perplexity) with what was booked for them."""
    telling = [row for row in books if row.reported is not None]
    both = [Both(_subject(row), row.day, row.model, (row,), {}, row.reported, tolerance=2) for row in telling]
    told = tuple(Invoiced(row.day, row.model, amount=row.reported) for row in telling)
    return _verdict(_Pairs(both, []), telling, Invoice(told))


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """What comparisons of several periods came to in all."""
    return Verdict(
        tuple([found for each in verdicts for found in each.findings]),
        matched=sum(each.matched for each in verdicts),
        booked=sum(each.booked for each in verdicts),
        invoiced=sum(each.invoiced for each in verdicts),
        rounding=sum(each.rounding for each in verdicts),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    both: list[Both]
    alone: list[Finding]


def _verdict(pairs: _Pairs, books: Sequence[Booked], invoice: Invoice) -> Verdict:
    judged = [(both, judge(both)) for both in pairs.both]
    findings = [*with_drift(judged), *pairs.alone]
    return Verdict(
        tuple(sorted(findings, key=lambda each: (each.day, each.model, each.kind, each.subject))),
        matched=sum(1 for _, found in judged if found is None),
        booked=sum(row.amount for row in books),
        invoiced=sum(line.amount or 0 for line in invoice.lines),
        rounding=sum(both.delta for both, found in judged if found is None),
    )


def _by_request(books: Sequence[Booked], invoice: Invoice, canonical: Canonical) -> _Pairs:
    """Pair by the provider's id; then rows of ours that have none by what they are."""
    lines: defaultdict[str, list[Invoiced]] = defaultdict(list)
    for line in invoice.lines:
        lines[line.provider_request_id or ""].append(line)
    nameless_lines = lines.pop("", [])
    rows: defaultdict[str, list[Booked]] = defaultdict(list)
    for row in books:
        rows[row.provider_request_id or ""].append(row)
    nameless_rows = rows.pop("", [])
    both: list[Both] = []
    alone: list[Finding] = []
    unpaired: list[Invoiced] = list(nameless_lines)
    for name, told in lines.items():
        ours = rows.pop(name, [])
        for row, line in zip(ours, told, strict=False):
            both.append(_request(row, line, invoice.resolution, canonical))
        if ours:
            alone += [_repeated(ours[0], line) for line in told[len(ours) :]]
            alone += _missing(ours[len(told) :])
        else:
            unpaired.append(told[0])
            alone += [_extra(line) for line in told[1:]]
    left = [*nameless_rows]
    alone += [found for several in rows.values() for found in _missing(several)]
    _pair_the_nameless(left, unpaired, both, invoice.resolution, canonical)
    alone += _missing(left)
    alone += [_missing_in_books(line) for line in unpaired]
    return _Pairs(both, alone)


def _pair_the_nameless(
    rows: list[Booked], lines: list[Invoiced], both: list[Both], resolution: int, canonical: Canonical
) -> None:
    """Pair rows whose provider's id never reached us with lines that agree in all; then one estimate with one line.

    What is paired is taken off both lists.
    """
    for row in list(rows):
        same = next((line for line in lines if judge(_request(row, line, resolution, canonical)) is None), None)
        if same is not None and same.day == row.day:
            both.append(_request(row, same, resolution, canonical))
            rows.remove(row)
            lines.remove(same)
    places = Counter((row.day, row.model) for row in rows)
    for row in [row for row in rows if row.estimated and places[row.day, row.model] == 1]:
        there = [line for line in lines if (line.day, canonical(line.model)) == (row.day, row.model)]
        if len(there) == 1:
            both.append(_request(row, there[0], resolution, canonical))
            rows.remove(row)
            lines.remove(there[0])


def _request(row: Booked, line: Invoiced, resolution: int, canonical: Canonical) -> Both:
    return Both(
        _subject(row),
        row.day,
        row.model,
        (row,),
        line.tokens,
        line.amount,
        tolerance=1 + resolution,
        currency=line.currency,
        named=line.model,
        known=not line.model or canonical(line.model) == row.model,
    )


def _by_day(books: Sequence[Booked], invoice: Invoice, canonical: Canonical) -> _Pairs:
    """Sum both sides by day and model, and compare the sums."""
    lines, alone = _once(invoice.lines)
    theirs: defaultdict[tuple[str, str], list[Invoiced]] = defaultdict(list)
    fees: defaultdict[str, list[Invoiced]] = defaultdict(list)
    for line in lines:
        if not line.model:
            fees[line.day].append(line)
            continue
        model = canonical(line.model)
        if model is None:
            alone.append(_unknown(line))
        else:
            theirs[line.day, model].append(line)
    ours: defaultdict[tuple[str, str], list[Booked]] = defaultdict(list)
    for row in books:
        ours[row.day, row.model].append(row)
    places = sorted(theirs.keys() | ours.keys())
    kinds = {kind for line in lines if line.model for kind in line.tokens}
    sums = [_sums(place, ours.get(place, []), theirs.get(place, []), invoice.resolution, kinds) for place in places]
    both = with_fees([each for each in sums if each is not None], fees, invoice.resolution)
    paired: list[Both] = []
    missing: list[Both] = []
    for each in without_midnight(both):
        (paired if each.rows and (each.told or each.amount is not None) else missing).append(each)
    return _Pairs(paired, [*alone, *(lone for each in missing if (lone := _lone(each)) is not None)])


def _sums(
    place: tuple[str, str], rows: list[Booked], lines: list[Invoiced], resolution: int, kinds: set[str]
) -> Both | None:
    """One day and model. Nothing where nothing was billed: what costs nothing is on no invoice.

    Of the `kinds` the invoice counts at all, a line it leaves out says 0.
    """
    day, model = place
    told: Counter[str] = Counter(dict.fromkeys(kinds if lines else (), 0))
    for line in lines:
        told.update(dict(line.tokens))
    amounts = [line.amount for line in lines if line.amount is not None]
    currencies = sorted({line.currency for line in lines})
    currency = next((name for name in currencies if name != "USD"), "USD")
    tolerance = sum(row.requests for row in rows) + len(amounts) * resolution
    amount = sum(amounts) if amounts else None
    if not lines and not any(row.amount for row in rows):
        return None
    return Both(f"{day} {model}", day, model, tuple(rows), dict(told), amount, tolerance, currency, model)


def _once(lines: Iterable[Invoiced]) -> tuple[list[Invoiced], list[Finding]]:
    """The lines without those that say word for word what another does."""
    seen: set[tuple[object, ...]] = set()
    kept: list[Invoiced] = []
    repeated: list[Finding] = []
    for line in lines:
        facts = (line.day, line.model, tuple(sorted(line.tokens.items())), line.amount, line.currency)
        if facts in seen and (line.amount or any(line.tokens.values())):
            repeated.append(_extra(line))
        else:
            seen.add(facts)
            kept.append(line)
    return kept, repeated


def _lone(both: Both) -> Finding | None:
    """A day and model only one side knows."""
    if both.rows:
        return finding(both, FindingKind.MISSING_AT_PROVIDER, "not on the invoice")
    if not both.amount and not any(both.told.values()):
        return None
    return finding(both, FindingKind.MISSING_IN_BOOKS, "not in our books")


def _subject(row: Booked) -> str:
    return f"{row.transaction_id}/{row.line}"


def _missing(rows: Iterable[Booked]) -> list[Finding]:
    """Rows the invoice should have; what costs nothing is on no invoice."""
    kind = FindingKind.MISSING_AT_PROVIDER
    return [
        Finding(kind, _subject(row), row.day, row.model, row.amount, 0, "not on the invoice", (row,))
        for row in rows
        if row.amount
    ]


def _missing_in_books(line: Invoiced) -> Finding:
    return _about(line, FindingKind.MISSING_IN_BOOKS, "not in our books")


def _extra(line: Invoiced) -> Finding:
    return _about(line, FindingKind.DUPLICATE_AT_PROVIDER, "on the invoice more than once")


def _unknown(line: Invoiced) -> Finding:
    return _about(line, FindingKind.UNKNOWN_MODEL, f"we sell no model {line.model!r}")


def _about(line: Invoiced, kind: FindingKind, detail: str) -> Finding:
    """A finding about a line alone; money in another currency compares with nothing."""
    subject = line.provider_request_id or line.name or f"{line.day} {line.model}"
    amount = line.amount if line.currency == "USD" else None
    return Finding(kind, subject, line.day, line.model, 0, amount, detail)


def _repeated(row: Booked, line: Invoiced) -> Finding:
    detail = f"{line.provider_request_id} is on the invoice more than once"
    return Finding(
        FindingKind.DUPLICATE_AT_PROVIDER, _subject(row), line.day, row.model, 0, line.amount, detail, (row,)
    )
