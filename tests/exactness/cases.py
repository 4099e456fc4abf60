"""How many requests a limit is good for, and what came of asking for more."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODEL = "openai/gpt-4.1-nano"
USD_PER_MILLION = "7.777777777"
MOST_TOKENS = 40
PRICE = 357_778
"""Nano-dollars of an answer of `MOST_TOKENS`: 40 x 7.777777777 USD a million, 15 % markup, rounded up."""
BALANCE, CAP = "balance", "key's cap"
FIXED, RANDOM = "fixed", "random"
CODES = {BALANCE: "insufficient_credit", CAP: "budget_exceeded"}
LEAST_USED = 97


@dataclass(frozen=True, slots=True)
class Case:
    """`clients` ask until each is refused, under a limit that is good for `affordable` requests of the full price."""

    clients: int
    limit: str = BALANCE
    prices: str = FIXED
    affordable: int = 300

    @property
    def amount(self) -> int:
        """The limit, in nano-dollars."""
        return self.affordable * PRICE


@dataclass(frozen=True, slots=True)
class Outcome:
    """`granted` answers that said they cost `told`; the others by status and code; what the books charged (`spent`).

    Nano-dollars.
    """

    case: Case
    granted: int
    told: int
    others: Mapping[tuple[int, str], int]
    spent: int
    left: int
    seconds: float

    @property
    def wrong(self) -> dict[str, Any]:
        """What is not as it has to be."""
        case = self.case
        refused = {(402, CODES[case.limit]): case.clients}
        exact = case.prices == FIXED
        findings = {
            "granted": self.granted if exact and self.granted != case.affordable else 0,
            "answers": dict(self.others) if Counter(self.others) != Counter(refused) else {},
            "charged otherwise than told": self.told - self.spent,
            "left and spent": case.amount - self.left - self.spent,
            "left": self.left if exact or self.left < 0 else 0,
            "percent used": self.used if self.used < LEAST_USED else 0,
        }
        return {name: found for name, found in findings.items() if found}

    @property
    def used(self) -> float:
        """Percent of the limit that was spent."""
        return 100 * self.spent / self.case.amount
