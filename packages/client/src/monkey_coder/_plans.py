"""`client.plans`, sync and async: plans and invoices. They only name the prepared calls."""

from urllib.parse import quote as escape

from monkey_coder import _responses
from monkey_coder._accounts import AsyncCaller, Caller
from monkey_coder._requests import Call, Request
from monkey_coder_protocol import invoices as invoices_wire
from monkey_coder_protocol import plans as plans_wire


class Plans:
    """What there is to be on, what the account is on, and what it was invoiced for."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def list(self) -> plans_wire.PlanList:
        """Plans that can be had now."""
        return self._client.call(_listed())

    def current(self) -> plans_wire.AccountPlan:
        """The plan the account is on, its subscription and its credit line."""
        return self._client.call(_current())

    def invoices(self, month: str | None = None) -> invoices_wire.InvoiceList:
        """Invoices and statements, newest first; of one UTC month (`YYYY-MM`) where it is given."""
        return self._client.call(_invoices(month))

    def invoice(self, invoice_id: str) -> invoices_wire.Invoice:
        """One invoice with its lines."""
        return self._client.call(_invoice(invoice_id))


class AsyncPlans:
    """As `Plans`."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def list(self) -> plans_wire.PlanList:
        """Plans that can be had now."""
        return await self._client.call(_listed())

    async def current(self) -> plans_wire.AccountPlan:
        """The plan the account is on, its subscription and its credit line."""
        return await self._client.call(_current())

    async def invoices(self, month: str | None = None) -> invoices_wire.InvoiceList:
        """Invoices and statements, newest first; of one UTC month (`YYYY-MM`) where it is given."""
        return await self._client.call(_invoices(month))

    async def invoice(self, invoice_id: str) -> invoices_wire.Invoice:
        """One invoice with its lines."""
        return await self._client.call(_invoice(invoice_id))


def _listed() -> Call[plans_wire.PlanList]:
    return Call(Request("GET", "/v1/billing/plans"), _responses.parse_as(plans_wire.PlanList))


def _current() -> Call[plans_wire.AccountPlan]:
    return Call(Request("GET", "/v1/billing/plan"), _responses.parse_as(plans_wire.AccountPlan))


def _invoices(month: str | None) -> Call[invoices_wire.InvoiceList]:
    asked = "" if month is None else f"?month={escape(month, safe='')}"
    return Call(Request("GET", f"/v1/billing/invoices{asked}"), _responses.parse_as(invoices_wire.InvoiceList))


def _invoice(invoice_id: str) -> Call[invoices_wire.Invoice]:
    path = f"/v1/billing/invoices/{escape(invoice_id, safe='')}"
    return Call(Request("GET", path), _responses.parse_as(invoices_wire.Invoice))
