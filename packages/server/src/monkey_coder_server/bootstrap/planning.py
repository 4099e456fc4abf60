"""What the operator's commands about plans, credit lines and invoices do, on the books of the configured gateway."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from msgspec import to_builtins

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.invoicing import InvoiceState
from monkey_coder_server.domain.money import NANO_PER_CENT, parse_usd, usd
from monkey_coder_server.domain.plans import PlanKind
from monkey_coder_server.features.accounts import plan_writing
from monkey_coder_server.features.accounts.limits import account_of
from monkey_coder_server.features.accounts.operating.plans_shown import shown
from monkey_coder_server.ports.invoicing import Sent
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.operating import COMMANDS, checked_reason

MOST_INVOICES = 1_000
_AMOUNTS = ("included", "credit_line", "trial_credit")
_CALLED = {"included": "included_credit"}


async def list_plans(settings: Settings) -> list[dict[str, Any]]:
    """Every plan, as `GET /v1/operator/plans` shows them."""
    async with open_books(settings) as books:
        plans = await books.storage.plans.every()
        await books.note("plans.list", "every plan")
    return [to_builtins(shown(plan)) for plan in plans]


def lines(plans: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each."""
    return [
        f"{each['plan']:20} {each['kind']:12} {each['monthly_fee_usd']:>10} USD/month  includes "
        f"{each['included_credit_usd']:>10}  line {each['credit_line_usd']:>12}  "
        f"{'listed' if each['listed'] else 'unlisted':8} {_dates(each)}".rstrip()
        for each in plans
    ]


async def write(settings: Settings, plan_id: str, given: Mapping[str, Any]) -> list[str]:
    """Write a plan, or change the given fields of it. Raises `GatewayError`."""
    changes: dict[str, Any] = {}
    for name, value in given.items():
        if name == "fee":
            changes["monthly_fee_cents"] = _whole_cents(value)
        elif name in _AMOUNTS:
            changes[_CALLED.get(name, name)] = _amount(value)
        elif name == "kind":
            changes[name] = PlanKind(value)
        elif name in {"offered_from", "offered_until"}:
            changes[name] = datetime.combine(value, time(), UTC)
        else:
            changes[name] = value
    async with open_books(settings) as books:
        plan = await plan_writing.write_plan(books.accounts, COMMANDS, plan_id, changes)
    return lines([to_builtins(shown(plan))])


async def retire(settings: Settings, plan_id: str) -> list[str]:
    """Put nobody on it any more. Raises `GatewayError`."""
    async with open_books(settings) as books:
        await plan_writing.retire_plan(books.accounts, COMMANDS, plan_id)
    return [f"nobody is put on {plan_id} any more"]


async def set_plan(settings: Settings, *, whose: str, plan_id: str, reason: str) -> list[str]:
    """Put an account on a plan. Raises `GatewayError`."""
    async with open_books(settings) as books:
        plan, line = await plan_writing.put_on_plan(
            books.accounts, books.storage.credit_lines, COMMANDS, whose=whose, plan_id=plan_id, reason=reason
        )
    told = "" if line is None else f", with a credit line of {usd(line.amount)} USD"
    return [f"{whose} is on {plan.plan_id}{told}"]


async def set_line(settings: Settings, *, whose: str, amount_usd: str, reason: str) -> list[str]:
    """Make an account's credit line so much in all. Raises `GatewayError`."""
    async with open_books(settings) as books:
        line = await plan_writing.set_credit_line(
            books.accounts,
            books.storage.credit_lines,
            COMMANDS,
            whose=whose,
            amount=_amount(amount_usd),
            reason=reason,
        )
    return [f"{whose} has a credit line of {usd(line.amount)} USD, of which {usd(line.left)} USD are left"]


async def list_invoices(settings: Settings, whose: str) -> list[str]:
    """An account's invoices, newest first. Raises `GatewayError`."""
    async with open_books(settings) as books:
        account_id = await account_of(books.accounts, whose)
        found = await books.storage.invoices.of_account(account_id, month=None, most=MOST_INVOICES)
        await books.note("invoices.list", account_id)
    return [
        f"{each.period}  {each.state:13} {usd(each.cents * NANO_PER_CENT):>12} USD  {each.invoice_id}" for each in found
    ] or [f"{whose} has no invoices"]


async def write_off(settings: Settings, invoice_id: str, *, reason: str) -> list[str]:
    """The house bears an invoice that nobody pays; should it be paid after all, that is undone. Raises `NotFound`."""
    why = checked_reason(reason)
    async with open_books(settings) as books:
        lost = Sent(InvoiceState.UNCOLLECTIBLE, "", "")
        after = await books.storage.invoices.bring(invoice_id, lost, books.clock.now())
        if after is None:
            raise NotFound("There is no such invoice; `admin invoices list` lists an account's.")
        await books.note("invoice.write_off", invoice_id, f"{after.cents} cents; {why}")
    return [f"{invoice_id} is {after.state}: {usd(after.cents * NANO_PER_CENT)} USD"]


async def draw_up(settings: Settings) -> list[str]:
    """Draw up what is due; the gateway sends it. Raises `Unavailable`."""
    async with open_books(settings) as books:
        now, made = books.clock.now(), []
        for account_id, month in await books.storage.credit_lines.months_due(now):
            drawn = await books.storage.invoices.close(account_id, month, now)
            if drawn is not None:
                made.append(f"{drawn.invoice_id}: {usd(drawn.cents * NANO_PER_CENT)} USD")
        await books.note("invoices.run", "every account", f"{len(made)} drawn up")
    return made or ["no month is due"]


def _dates(each: Mapping[str, Any]) -> str:
    parts = (("from", each["offered_from"]), ("until", each["offered_until"]))
    return " ".join(f"{word} {moment[:16]}" for word, moment in parts if moment)


def _amount(text: str) -> int:
    try:
        return parse_usd(text)
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong


def _whole_cents(text: str) -> int:
    cents, rest = divmod(_amount(text), NANO_PER_CENT)
    if rest:
        raise InvalidRequest("A fee is in whole cents.")
    return cents
