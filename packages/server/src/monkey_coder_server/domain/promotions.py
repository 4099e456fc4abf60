"""Promotions: credit that a code gives, each account once, and that ends. Amounts are nano-dollars."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monkey_coder_server.domain import user_codes
from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound

LARGEST_AMOUNT = 10_000 * 1_000_000_000
"""Ten thousand USD."""
MOST_DAYS = 3_650
MOST_REDEMPTIONS = 1_000_000_000
SHORTEST_CODE, LONGEST_CODE = 6, 40
"""Letters and digits of a code an operator names. A short one can be guessed; tries are counted."""
GENERATED_LETTERS = 16
"""Of twenty consonants: 69 bits."""
RANDOM_BYTES = 24
"""So many that every letter is as likely as another, but for one part in 2^122."""
_GROUP = 4
_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_BETWEEN = "- \t"
_LONGEST_CAMPAIGN = 80
_UNKNOWN = "No promotion has this code, or it has not begun."


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What a code gives: `amount`, for `lasts_days` after it is redeemed, to `most` accounts (None: any number).

    It can be redeemed from `starts_at` until before `ends_at` (None: until it is ended). `new_within_days` keeps it for
    accounts opened so many days ago at most, `plans` for accounts on one of them. `code` is as it is shown; customers
    read the `campaign`. Raises `ValueError`, saying which part cannot be.
    """

    promotion_id: str
    code: str
    campaign: str
    amount: int
    lasts_days: int
    starts_at: datetime
    ends_at: datetime | None = None
    most: int | None = None
    new_within_days: int | None = None
    plans: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for wrong, message in self._complaints():
            if wrong:
                raise ValueError(message)

    def _complaints(self) -> Iterable[tuple[bool, str]]:
        campaign, most, within = self.campaign, self.most, self.new_within_days
        yield (
            folded(self.code) is None,
            f"A code is {SHORTEST_CODE} to {LONGEST_CODE} of the letters A to Z and digits, with hyphens between them.",
        )
        yield (
            not campaign.strip() or len(campaign) > _LONGEST_CAMPAIGN or not campaign.isprintable(),
            f"A campaign is called by 1 to {_LONGEST_CAMPAIGN} printable characters.",
        )
        yield not 0 < self.amount <= LARGEST_AMOUNT, "A promotion gives more than zero and at most 10,000 USD."
        yield not 1 <= self.lasts_days <= MOST_DAYS, f"The credit lasts 1 to {MOST_DAYS} days."
        yield most is not None and not 1 <= most <= MOST_REDEMPTIONS, "The maximum is at least one redemption."
        yield (
            within is not None and not 1 <= within <= MOST_DAYS,
            f"A new account is 1 to {MOST_DAYS} days old at most.",
        )
        yield self.ends_at is not None and self.ends_at < self.starts_at, "A promotion cannot end before it starts."

    def state(self, redeemed: int, at: datetime) -> str:
        """`to come`, `in force`, `used up` or `over`."""
        if self.over(at):
            return "over"
        if at < self.starts_at:
            return "to come"
        return "used up" if self.used_up(redeemed) else "in force"

    def over(self, at: datetime) -> bool:
        """Whether its time is past, or never comes because it was ended before."""
        return self.ends_at is not None and (self.ends_at <= at or self.ends_at == self.starts_at)

    def used_up(self, redeemed: int) -> bool:
        """Whether so many redemptions are all there are."""
        return self.most is not None and redeemed >= self.most


@dataclass(frozen=True, slots=True)
class Redeemer:
    """An account that would redeem: when it was opened (None: not known), and the plan it is on.

    `made_it`: the person who asks is the operator who made the promotion.
    """

    opened_at: datetime | None
    plan: str
    made_it: bool = False


def check(promotion: Promotion, redeemed: int, by: Redeemer, at: datetime) -> None:
    """Whether an account may redeem now, after `redeemed` others.

    Raises `NotFound`, `Conflict`, `Forbidden`, with a sentence that says why not.
    """
    if by.made_it:
        raise Forbidden("Nobody gives credit to themselves: an operator does not redeem what they made.")
    if promotion.over(at):
        raise Conflict("This promotion is over.")
    if at < promotion.starts_at:
        raise unknown()
    within = promotion.new_within_days
    if within is not None and (by.opened_at is None or at - by.opened_at > timedelta(days=within)):
        message = f"This promotion is for accounts that were opened at most {within} days ago."
        raise Forbidden(message)
    if promotion.plans and by.plan not in promotion.plans:
        message = f"This promotion is for accounts on these plans: {', '.join(promotion.plans)}."
        raise Forbidden(message)
    if promotion.used_up(redeemed):
        raise Conflict("This promotion was redeemed as often as it can be.")


def unknown() -> NotFound:
    """The same for a code of nothing and for one that is still a secret."""
    return NotFound(_UNKNOWN)


def folded(typed: str) -> str | None:
    """A code in the one form it is compared in: capitals without hyphens and spaces; None when it can be no code."""
    if not typed.isascii():
        return None
    signs = "".join(sign for sign in typed.upper() if sign not in _BETWEEN)
    return signs if SHORTEST_CODE <= len(signs) <= LONGEST_CODE and _SIGNS.issuperset(signs) else None


def compose(random_bytes: bytes) -> str:
    """A new code, `WDJB-MJHT-BCDF-GHJK`. Raises `ValueError` for fewer than `RANDOM_BYTES`."""
    if len(random_bytes) < RANDOM_BYTES:
        message = f"A promotion's code needs at least {RANDOM_BYTES} random bytes."
        raise ValueError(message)
    letters = user_codes.letters_of(random_bytes, GENERATED_LETTERS)
    return "-".join(letters[start : start + _GROUP] for start in range(0, GENERATED_LETTERS, _GROUP))
