"""Invoices and statements beside the receipts they are of, and beside what Stripe has."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from monkey_coder_server.domain.invoicing import LATE
from monkey_coder_server.domain.money import NANO_PER_CENT, parse_usd
from monkey_coder_server.sandbox.stripe.account import Object
from tests.month.calendar import FIRST
from tests.month.customers import Customer
from tests.month.house import House
from tests.month.receipts import by_account, by_line

MONTH = f"{FIRST:%Y-%m}"
INVOICES = "SELECT invoice_id, account_id, period, state, cents, used, residue, ref FROM invoices ORDER BY period"
LINES = "SELECT invoice_id, description, project_id, model, amount, cents FROM invoice_lines"
ROUNDING = "SELECT owner, SUM(amount) FROM entries WHERE kind = 'rounding' GROUP BY owner"
UNPAID_CREDIT = "SELECT account_id, SUM(amount - remaining) FROM grants WHERE kind <> 'credit_line' GROUP BY account_id"
EXPIRED = (
    "SELECT t.account_id, -SUM(e.amount) FROM entries e JOIN transactions t ON t.transaction_id = e.transaction_id"
    " WHERE t.kind = 'expire' AND e.kind = 'customer_credit' GROUP BY t.account_id"
)


def ours(house: House) -> list[Object]:
    """Invoices at Stripe that we made of usage."""
    return [each for each in house.bank.find("invoice") if each["metadata"].get("invoice_id")]


async def statements(house: House, customers: Sequence[Customer]) -> list[str]:
    """What each customer reads of the month, line by line, beside their receipts."""
    sums, wrong = by_line(house), []
    for one in customers:
        listed = await house.ask(one.key, "GET", f"/v1/billing/invoices?month={MONTH}")
        lines: Counter[tuple[str, str]] = Counter()
        for each in listed.json()["invoices"]:
            whole = await house.ask(one.key, "GET", f"/v1/billing/invoices/{each['invoice_id']}")
            for line in whole.json()["lines"]:
                if line["model"]:
                    lines[line["project_id"] or "", line["model"]] += parse_usd(str(line["exact_usd"]))
        wanted = {name[2:]: sum_ for name, sum_ in sums.items() if name[:2] == (one.account_id, MONTH)}
        wrong += [] if dict(lines) == wanted else [f"{one.whose}: statement {dict(lines)}, receipts {wanted}"]
    return wrong


def invoices(house: House, firms: Sequence[Customer]) -> list[str]:
    """What was invoiced of a line is what was charged less what else paid for it, in cents with what is carried."""
    charged, paid = by_account(house), dict(house.read(UNPAID_CREDIT))
    expired = dict(house.read(EXPIRED))
    of_account: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in house.read(INVOICES):
        of_account[row[1]].append(row)
    wrong = []
    for one in firms:
        name, carried, used_up, again = one.account_id, 0, 0, 0
        for invoice_id, _, _, state, cents, used, residue, _ in of_account[name]:
            if used + carried != cents * NANO_PER_CENT + residue or not 0 <= residue < NANO_PER_CENT:
                wrong.append(f"{invoice_id}: {used} used and {carried} carried are no {cents} cents and {residue}")
            carried, used_up = residue, used_up + used
            again += cents * NANO_PER_CENT if state == "void" else 0
        from_credit = int(paid.get(name, 0)) - int(expired.get(name, 0))
        if used_up - again != charged[name] - from_credit:
            wrong.append(f"{one.whose}: {used_up} invoiced, {charged[name]} charged, {from_credit} paid from credit")
    return wrong + _lines(house)


def _lines(house: House) -> list[str]:
    """Each line is its receipts' sum; all lines are the invoice's cents."""
    cents = {row[0]: (row[1], row[2], int(row[4])) for row in house.read(INVOICES)}
    sums, totals, wrong = by_line(house), Counter[str](), []
    for invoice_id, words, project, model, amount, part in house.read(LINES):
        totals[invoice_id] += int(part)
        account_id, period, _ = cents[invoice_id]
        if model and sums[account_id, period, project, model] != amount:
            wrong.append(f"{invoice_id}, {words}: {amount}, receipts {sums[account_id, period, project, model]}")
        if abs(int(part) * NANO_PER_CENT - int(amount)) >= NANO_PER_CENT and words != LATE:
            wrong.append(f"{invoice_id}, {words}: {part} cents for {amount}")
    return wrong + [
        f"{name}: lines are {totals[name]} cents" for name, each in cents.items() if totals[name] != each[2]
    ]


def at_stripe(house: House) -> list[str]:
    """The same invoice there: its total, its lines, and whether it is paid."""
    there, wrong = {each["metadata"]["invoice_id"]: each for each in ours(house)}, []
    lines: dict[str, Counter[str]] = defaultdict(Counter)
    for invoice_id, words, _, _, _, cents in house.read(LINES):
        if cents:
            lines[invoice_id][words] += int(cents)
    for invoice_id, _, _, state, cents, _, _, ref in house.read(INVOICES):
        found = there.pop(invoice_id, None)
        if found is None:
            wrong += [f"{invoice_id} is not there"] if cents else []
            continue
        shown = Counter({line["description"]: line["amount"] for line in found["lines"]["data"]})
        same_state = found["status"] == state or (state == "uncollectible" and found["status"] == "open")
        if (found["total"], found["id"], shown) != (cents, ref, lines[invoice_id]) or not same_state:
            wrong.append(f"{invoice_id}: {state} {cents} {lines[invoice_id]}, there {found['status']} {shown}")
    return wrong + [f"{name} is there alone" for name in there]


def residues(house: House, firms: Sequence[Customer]) -> list[str]:
    """What is less than a cent of the last invoice waits in the account's rounding, and nowhere else is any."""
    last = {row[1]: int(row[6]) for row in house.read(INVOICES)}
    kept = {owner: -int(sum_) for owner, sum_ in house.read(ROUNDING) if sum_}
    wanted = {name: residue for name, residue in last.items() if residue}
    known = {one.account_id for one in firms}
    return [
        f"{name}: {kept.get(name, 0)} kept, {wanted.get(name, 0)} left of the invoice"
        for name in kept.keys() | wanted.keys() | known
        if kept.get(name, 0) != wanted.get(name, 0) or name not in known
    ]
