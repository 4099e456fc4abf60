"""`/billing` for people in a browser: what is left, and a button to buy more; and where paying ends.

A page serves a person's own account alone: an organization buys by the API, with a role that may.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from monkey_coder_server.domain.errors import GatewayError, InvalidRequest
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.billing.buying.amounts import bought_cents, cents_usd, whole_cents
from monkey_coder_server.features.billing.buying.checkout import CANCELLED, HOME, SUCCESS, Basket, open_page
from monkey_coder_server.features.billing.buying.dependencies import Dependencies, Visitor, gate_of
from monkey_coder_server.features.billing.buying.trail import note_by_person
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.forms import form_fields
from monkey_coder_server.web.pages import Pages, plain, see_other
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request

AMOUNTS = ("10", "25", "50", "100")
USUAL = "25"
_BY_OPERATOR = (
    "Credit of this gateway is added by its operator.\n\n"
    "Ask the operator to run:  monkey-server admin grant --email YOUR-ADDRESS --usd AMOUNT --reason REASON\n"
    "See your balance with:    monkey balance\n"
)
_BY_YOURSELF = (
    "Credit is bought with a card.\n\n"
    "Buy it from a terminal:   monkey billing credits 25\n"
    "or in a browser:          {page}\n"
    "See your balance with:    monkey balance\n"
)


class BillingPages:
    """The pages, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._pages = Pages(__package__)

    def routes(self) -> tuple[Route, ...]:
        """Every page, and where its form leads."""
        pages: tuple[tuple[str, str, Endpoint], ...] = (
            ("GET", HOME, self.home),
            ("POST", HOME, self.buy),
            ("GET", SUCCESS, self.success),
            ("GET", CANCELLED, self.cancelled),
        )
        return tuple(
            Route(method, path, endpoint, auth="public", errors=self._pages.problem, page=True)
            for method, path, endpoint in pages
        )

    async def home(self, request: Request) -> Reply:
        """Amounts to choose from; in plain text how credit is added, for programs and where nothing can be bought."""
        if self._use.gate is None:
            return plain(_BY_OPERATOR)
        if "text/html" not in (request.header("accept") or ""):
            return plain(_BY_YOURSELF.format(page=f"{self._use.base_url}{HOME}"))
        visitor = await self._use.visitor(request)
        return self._log_in(request.query) if visitor is None else await self._form(request, visitor, request.query)

    async def buy(self, request: Request) -> Reply:
        """To the page one pays on. Raises `Forbidden` for a form that no page of ours sent."""
        fields = await form_fields(request)
        self._use.browsers.check_form(request, fields)
        gate_of(self._use)
        visitor = await self._use.visitor(request)
        if visitor is None:
            return self._log_in(fields)
        try:
            page = await self._page_for(request, visitor, fields)
        except InvalidRequest as refused:
            return await self._form(request, visitor, fields, refused)
        return see_other(page)

    async def success(self, _request: Request) -> Reply:
        """Paid: the credit comes when the bank has said so, not with this page."""
        return self._pages.show("paid.html")

    async def cancelled(self, _request: Request) -> Reply:
        """Nothing was paid."""
        return self._pages.show("not_paid.html")

    async def _page_for(self, request: Request, visitor: Visitor, fields: Mapping[str, str]) -> str:
        chosen = fields.get("other", "").strip() or fields.get("amount_usd", "")
        cents = bought_cents("amount_usd", whole_cents("amount_usd", chosen))
        basket = Basket(
            cents=cents,
            save_card=bool(fields.get("save_card")),
            success_url=f"{self._use.base_url}{SUCCESS}",
            cancel_url=f"{self._use.base_url}{CANCELLED}",
        )
        made = await open_page(self._use, visitor.account_id, basket)
        details = f"{cents_usd(cents)} USD"
        await note_by_person(
            self._use, request, "billing.checkout", visitor=visitor, target=made.reference, details=details
        )
        return made.page.url

    async def _form(
        self, request: Request, visitor: Visitor, given: Mapping[str, str], refused: GatewayError | None = None
    ) -> Reply:
        wanted = given.get("other", "").strip() or given.get("amount_usd", USUAL)
        wallet = await self._use.ledger.wallet(visitor.account_id)
        token, cookies = self._use.browsers.visit(request)
        plain_amount = wanted.removesuffix(".00")
        return self._pages.show(
            "buy.html",
            status=200 if refused is None else status_of(refused),
            headers=list(cookies),
            sends_to=self._use.pays_at,
            form_token=token,
            balance=usd(wallet.balance),
            email=visitor.email,
            amounts=AMOUNTS,
            chosen=plain_amount if plain_amount in AMOUNTS else "",
            other="" if plain_amount in AMOUNTS else wanted[:20],
            save_card=bool(given.get("save_card")),
            refused="" if refused is None else refused.message,
        )

    def _log_in(self, given: Mapping[str, str]) -> Reply:
        kept = {name: given[name] for name in ("amount_usd", "save_card") if given.get(name)}
        here = f"{HOME}?{urlencode(kept)}" if kept else HOME
        return see_other(f"/login?next={quote(here, safe='')}")
