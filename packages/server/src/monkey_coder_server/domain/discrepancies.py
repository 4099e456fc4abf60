"""One thing our books and an invoice both know: in what, if anything, they differ. Rules: decisions/0022."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monkey_coder_server.domain.invoices import USD, Booked, Tokens

SCALES = (1, 2, 3, 6, 9, 10)
"""Powers of ten between dollars and cents, thousandths, micro-dollars, nano-dollars, xAI's ticks, and ticks in nano."""
PLAIN = 10
"""An amount must be so many times the tolerance before a power of ten between two amounts means anything."""
MOST_TIMES_THE_ESTIMATE = 8
"""More than this, and it is not the estimated requests that explain a difference of a day."""


class FindingKind(StrEnum):
    """In what books and invoice can differ."""

    MISSING_AT_PROVIDER = "missing_at_provider"
    MISSING_IN_BOOKS = "missing_in_books"
    AMOUNT_DIFFERS = "amount_differs"
    DUPLICATE_AT_PROVIDER = "duplicate_at_provider"
    UNKNOWN_MODEL = "unknown_model"
    PRICE_DRIFT = "price_drift"
    TOKENS_DIFFER = "tokens_differ"
    WRONG_BUCKET = "wrong_bucket"
    WRONG_UNIT = "wrong_unit"
    ESTIMATE_KNOWN = "estimate_known"


@dataclass(frozen=True, slots=True)
class Both:
    """What is compared: our rows of one request, or of one day and model, and what the invoice says of the same.

    `model` is ours, `named` the invoice's; `known`: the invoice's model is one we sell, and this one. `amount` and the
    kinds in `told` are the invoice's; `tolerance` is what rounding can account for, in nano-dollars.
    """

    subject: str
    day: str
    model: str
    rows: tuple[Booked, ...]
    told: Mapping[str, int]
    amount: int | None
    tolerance: int
    currency: str = USD
    named: str = ""
    known: bool = True

    @property
    def booked(self) -> int:
        """What our books say, in nano-dollars."""
        return sum(row.amount for row in self.rows)

    @property
    def tokens(self) -> Tokens:
        """What our books count."""
        total = Tokens()
        for row in self.rows:
            total = total.plus(row.tokens)
        return total

    @property
    def delta(self) -> int:
        """The invoice less our books, in nano-dollars; 0 where it tells no amount."""
        return 0 if self.amount is None else self.amount - self.booked

    @property
    def amounts_agree(self) -> bool:
        """Whether rounding explains the difference."""
        return abs(self.delta) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `invoiced` is None where the invoice has no amount or none that compares.

    `rows` are ours that it concerns; `correction` is what a correcting entry adds to the first of them.
    """

    kind: FindingKind
    subject: str
    day: str
    model: str
    booked: int
    invoiced: int | None
    detail: str
    rows: tuple[Booked, ...] = ()
    correction: int | None = None

    @property
    def unexplained(self) -> int:
        """By how much money the two sides differ without a reason we know, in nano-dollars, never negative."""
        if self.kind is FindingKind.ESTIMATE_KNOWN:
            return 0
        return abs((self.invoiced or 0) - self.booked)


def judge(both: Both) -> Finding | None:
    """The first thing that is wrong, in the order in which one mistake causes the next; None when all agrees."""
    if both.currency != USD:
        return finding(both, FindingKind.WRONG_UNIT, f"billed in {both.currency}", comparable=False)
    if not both.known:
        return finding(both, FindingKind.UNKNOWN_MODEL, f"the invoice calls the model {both.named!r}")
    wrong = {} if _vague(both) else differing(both)
    if not wrong and both.amounts_agree:
        return None
    return _estimate(both) or (_counted_otherwise(both, wrong) if wrong else _priced_otherwise(both))


def _vague(both: Both) -> bool:
    """Whether our tokens prove nothing: they are estimates whose money is corrected, or right already."""
    right = both.amount is not None and both.amounts_agree
    return any(row.corrected or (row.estimated and right) for row in both.rows)


def _counted_otherwise(both: Both, wrong: Mapping[str, int]) -> Finding:
    misplaced = _misplaced(both, wrong)
    kind = FindingKind.WRONG_BUCKET if misplaced else FindingKind.TOKENS_DIFFER
    return finding(both, kind, misplaced or ", ".join(_told(both, name) for name in wrong))


def _priced_otherwise(both: Both) -> Finding:
    scale = _scale(both)
    if scale is not None:
        return finding(both, FindingKind.WRONG_UNIT, f"the invoice's amount is ours times 10^{scale}")
    return finding(both, FindingKind.AMOUNT_DIFFERS, "same tokens, another amount")


def finding(both: Both, kind: FindingKind, detail: str, *, comparable: bool = True) -> Finding:
    """A finding about what is compared."""
    amount = both.amount if comparable else None
    return Finding(kind, both.subject, both.day, both.model, both.booked, amount, detail, both.rows)


def differing(both: Both) -> dict[str, int]:
    """By how many the invoice counts more, of each kind it counts otherwise than we do."""
    ours = both.tokens
    return {kind: told - ours.of(kind) for kind, told in both.told.items() if told != ours.of(kind)}


def _told(both: Both, kind: str) -> str:
    return f"{kind} {both.told[kind]}, booked {both.tokens.of(kind)}"


def _estimate(both: Both) -> Finding | None:
    """The difference is what an estimate did not know. Of one row alone it is known how much to correct."""
    guessed = [row for row in both.rows if row.estimated and not row.corrected]
    if not guessed:
        return None
    estimate = sum(row.amount for row in guessed)
    alone = len(guessed) == len(both.rows)
    if not alone and not 0 <= estimate + both.delta <= MOST_TIMES_THE_ESTIMATE * estimate:
        return None
    correction = both.delta if len(guessed) == 1 and both.amount is not None else None
    detail = f"{len(guessed)} estimated at {estimate}, by the invoice {estimate + both.delta} nano-dollars"
    rows = (*guessed, *(row for row in both.rows if row not in guessed))
    return Finding(
        FindingKind.ESTIMATE_KNOWN,
        both.subject,
        both.day,
        both.model,
        both.booked,
        both.amount,
        detail,
        rows,
        correction,
    )


def _misplaced(both: Both, wrong: Mapping[str, int]) -> str | None:
    """How the same tokens stand in other buckets; None when they are not the same tokens."""
    written = ("cache_write",) if "cache_write" in both.told else ("cache_write_5m", "cache_write_1h")
    parts = ("uncached_input", "cache_read", *written)
    moved = {kind: wrong[kind] for kind in parts if kind in wrong}
    others = set(wrong) - set(moved)
    same_prompt = sum(moved.values()) == 0 or ("input" in both.told and "input" not in wrong)
    if moved and not others and same_prompt:
        return f"the same prompt in other buckets: {', '.join(_told(both, name) for name in moved)}"
    if moved or not others <= {"output", "reasoning"}:
        return None
    if others == {"reasoning"}:
        return f"the same output with another share of reasoning: {_told(both, 'reasoning')}"
    reasoning = both.tokens.reasoning
    counted = {reasoning: "twice", -reasoning: "outside of the output"}.get(wrong["output"])
    return f"reasoning counted {counted}: {_told(both, 'output')}" if counted else None


def _scale(both: Both) -> int | None:
    """The power of ten that lies between the two amounts, if one does."""
    ours, theirs, tolerance = both.booked, both.amount or 0, both.tolerance
    if min(ours, theirs) < PLAIN * tolerance:
        return None
    for scale in SCALES:
        factor: int = 10**scale
        if abs(theirs - ours * factor) <= tolerance * factor:
            return scale
        if abs(theirs * factor - ours) <= tolerance * factor:
            return -scale
    return None
