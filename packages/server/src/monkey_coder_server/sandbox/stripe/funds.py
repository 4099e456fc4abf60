"""What Stripe holds for the account: one balance transaction for every movement of money."""

from collections import Counter

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.periods import DAY

DISPUTE_FEE = 1_500
_CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
}


def fee_of(cents: int) -> int:
    """2.9 % and 30 cents, rounded half up."""
    return (cents * 29 + 500) // 1_000 + 30


def move(  # noqa: PLR0913 - all of it is on the statement
    account: Account, kind: str, cents: int, source: str, *, fee: int = 0, category: str = ""
) -> Object:
    """Note that money came (positive) or went."""
    details = [{"amount": fee, "application": None, "currency": "usd", "description": "fees", "type": "stripe_fee"}]
    return account.add(
        "txn",
        "balance_transaction",
        {
            "amount": cents,
            "available_on": account.now() + 2 * DAY,
            "balance_type": "payments",
            "currency": "usd",
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": cents - fee,
            "reporting_category": category or _CATEGORIES[kind],
            "source": source,
            "status": "pending",
            "type": kind,
        },
    )


def sums(account: Account) -> dict[str, int]:
    """Cents by reporting category, with `fee` and `net` of all."""
    totals: Counter[str] = Counter(charge=0, refund=0, refund_failure=0, dispute=0, dispute_reversal=0, fee=0, net=0)
    for movement in account.all("balance_transaction"):
        totals[movement["reporting_category"]] += movement["amount"]
        totals["fee"] += movement["fee"]
        totals["net"] += movement["net"]
    return dict(totals)
