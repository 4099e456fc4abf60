"""`POST /v1/billing/checkout`, `/payment` and `/portal`: pages of the payment processor, made for a browser."""

import msgspec

from monkey_coder_protocol import buying as wire
from monkey_coder_server.domain.errors import InvalidRequest, NotFound, PaymentRefused
from monkey_coder_server.domain.scopes import BILLING_MANAGE
from monkey_coder_server.features.billing.buying.amounts import bought_cents, cents_usd, whole_cents
from monkey_coder_server.features.billing.buying.bounds import count_page
from monkey_coder_server.features.billing.buying.checkout import CANCELLED, HOME, SUCCESS, Basket, Checkout, open_page
from monkey_coder_server.features.billing.buying.customers import was_deleted
from monkey_coder_server.features.billing.buying.dependencies import Dependencies, gate_of
from monkey_coder_server.features.billing.buying.return_urls import ReturnUrls
from monkey_coder_server.features.billing.buying.trail import note
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import decode, json_body
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

LONGEST_DESCRIPTION = 200
_checkout = msgspec.json.Decoder(wire.CheckoutRequest)
_payment = msgspec.json.Decoder(wire.PaymentRequest)
_portal = msgspec.json.Decoder(wire.PortalRequest)
_NOBODY = "Nothing was bought for this account yet, so there is no portal for it: buy credit first."


class CheckoutRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._urls = ReturnUrls(use.base_url, use.origins)

    def routes(self) -> tuple[Route, ...]:
        """Every route that makes a page."""
        return (
            self._route("checkout", self.checkout, wire.CheckoutRequest, wire.CheckoutPage),
            self._route("payment", self.payment, wire.PaymentRequest, wire.PaymentPage),
            self._route("portal", self.portal, wire.PortalRequest, wire.PortalPage),
        )

    @staticmethod
    def _route(name: str, endpoint: Endpoint, takes: type, gives: type) -> Route:
        return Route(
            "POST",
            f"/v1/billing/{name}",
            endpoint,
            scope=BILLING_MANAGE,
            once=True,
            takes=takes,
            gives=gives,
            action=f"billing.{name}",
        )

    async def checkout(self, request: Request) -> Reply:
        """A page to buy credit or a plan on, or to save a card."""
        wish = await json_body(request, _checkout)
        if wish.amount_usd is not None and wish.plan is not None:
            raise InvalidRequest("Send either the field `amount_usd` or the field `plan`.")
        if wish.amount_usd is None and wish.plan is None and not wish.save_card:
            raise InvalidRequest("Say how much to buy (`amount_usd`), or which `plan`, or only `save_card`.")
        bought = 0
        if wish.amount_usd is not None:
            bought = bought_cents("amount_usd", whole_cents("amount_usd", wish.amount_usd))
        basket = Basket(
            cents=bought,
            plan_id=wish.plan or "",
            save_card=wish.save_card,
            success_url=self._urls.checked("success_url", wish.success_url, SUCCESS),
            cancel_url=self._urls.checked("cancel_url", wish.cancel_url, CANCELLED),
        )
        made = await self._made(request, basket, "billing.checkout")
        expires = made.page.expires_at
        return json_reply(
            wire.CheckoutPage(
                checkout_url=made.page.url,
                session_id=made.reference,
                expires_at=None if expires is None else expires.isoformat(),
            )
        )

    async def payment(self, request: Request) -> Reply:
        """The same for the service's published command line, whose return URLs are replaced where they lead away."""
        wish = await json_body(request, _payment)
        description = wish.description.strip()
        basket = Basket(
            cents=bought_cents("amount", wish.amount),
            description=description if description.isprintable() and len(description) <= LONGEST_DESCRIPTION else "",
            success_url=self._urls.kept(wish.success_url, SUCCESS),
            cancel_url=self._urls.kept(wish.cancel_url, CANCELLED),
        )
        made = await self._made(request, basket, "billing.payment")
        return json_reply(wire.PaymentPage(payment_url=made.page.url, session_id=made.reference))

    async def portal(self, request: Request) -> Reply:
        """A page to see invoices and change cards on. Raises `NotFound` for who never bought anything."""
        use, account_id = self._use, request.principal.account_id
        gate, body = gate_of(use), await request.body()
        wish = decode(body, _portal) if body else wire.PortalRequest()
        back = self._urls.kept(wish.return_url or request.query.get("return_url"), HOME)
        customer_id = await use.books.customer(account_id)
        if customer_id is None:
            raise NotFound(_NOBODY)
        await count_page(use, account_id)
        try:
            page = await gate.portal(customer_id, back, key=use.ids.new("portal"))
        except PaymentRefused:
            if await was_deleted(use, customer_id):
                raise NotFound(_NOBODY) from None
            raise
        await note(use, request, "billing.portal")
        return json_reply(
            wire.PortalPage(
                session_url=page.url,
                portal_url=page.url,
                customer_id=account_id,
                expires_at=None if page.expires_at is None else page.expires_at.isoformat(),
                created_at=use.clock.now().isoformat(),
            )
        )

    async def _made(self, request: Request, basket: Basket, action: str) -> Checkout:
        made = await open_page(self._use, request.principal.account_id, basket)
        what = f"plan {basket.plan_id}" if basket.plan_id else f"{cents_usd(basket.cents)} USD"
        await note(self._use, request, action, target=made.reference, details=what)
        return made
