"""Where a browser reaches the pages."""

from typing import Any

from aiohttp import web

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.cards import BANK_BOUNCES, BANK_PAYS, CARDS
from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.pages import checkout, invoice, portal
from monkey_coder_server.sandbox.stripe.refusals import Refusal
from monkey_coder_server.sandbox.stripe.resources import billing, completing, payment_methods, subscriptions

UNKNOWN_CARD = "Your card number is invalid. Test mode knows test cards only."
SESSION = "{CHECKOUT_SESSION_ID}"


def add(app: web.Application, account: Account, control: Control) -> None:
    """Every page. They act in the mode of the object they show."""
    pages = _Pages(account, control)
    for path, show, answer in (
        ("/c/pay/{id}", pages.checkout, pages.pay),
        ("/bank/{id}", pages.bank, pages.prove),
        ("/p/session/{id}", pages.portal, pages.manage),
        ("/i/{id}", pages.invoice, pages.pay_invoice),
    ):
        app.router.add_get(path, show)
        app.router.add_post(path, answer)
    app.router.add_get("/receipts/{id}", pages.receipt)


class _Pages:
    def __init__(self, account: Account, control: Control) -> None:
        self._account = account
        self._control = control

    async def checkout(self, request: web.Request) -> web.StreamResponse:
        session = self._found(request)
        if session["status"] != "open":
            return _html(checkout.closed(self._account, session))
        return _html(checkout.page(self._account, session))

    async def pay(self, request: web.Request) -> web.StreamResponse:
        session, given = self._found(request), await request.post()
        way, number = given.get("way"), _digits(given.get("number"))
        bank = way in {"bank", "bouncing_bank"}
        if bank:
            number = BANK_PAYS if way == "bank" else BANK_BOUNCES
        elif number not in CARDS:
            return _html(checkout.page(self._account, session, UNKNOWN_CARD))
        email, name = str(given.get("email") or "buyer@example.com"), str(given.get("name") or "Ada Buyer")
        try:
            with self._account.mode_of(session["livemode"]):
                completing.pay(self._account, session, completing.Payer(number, email, name, bank))
        except Refusal as refusal:
            return _html(checkout.page(self._account, session, str(refusal)))
        if session["status"] == "open":
            msg = f"/bank/{session['_intent']}"
            raise web.HTTPSeeOther(msg)
        raise web.HTTPSeeOther(_way_back(session))

    async def bank(self, request: web.Request) -> web.StreamResponse:
        return _html(checkout.bank(self._account, self._found(request)))

    async def prove(self, request: web.Request) -> web.StreamResponse:
        intent, given = self._found(request), await request.post()
        sessions = [
            item for item in self._account.by_kind.get("checkout.session", ()) if item.get("_intent") == intent["id"]
        ]
        try:
            self._control.prove(intent["id"], passed=given.get("answer") == "pass")
        except Refusal as refusal:
            if sessions:
                return _html(checkout.page(self._account, sessions[0], str(refusal)))
            return _html(checkout.bank(self._account, intent, str(refusal)))
        if sessions:
            raise web.HTTPSeeOther(_way_back(sessions[0]))
        return _html(checkout.bank(self._account, intent, "Done. You can close this page."))

    async def portal(self, request: web.Request) -> web.StreamResponse:
        session = self._found(request)
        with self._account.mode_of(session["livemode"]):
            return _html(portal.page(self._account, session))

    async def manage(self, request: web.Request) -> web.StreamResponse:
        session, given = self._found(request), await request.post()
        with self._account.mode_of(session["livemode"]):
            self._manage(session, str(given.get("do")), given)
        msg = f"/p/session/{session['id']}"
        raise web.HTTPSeeOther(msg)

    def _manage(self, session: Object, verb: str, given: Any) -> None:
        account, customer = self._account, self._account.objects[session["customer"]]
        if verb in {"cancel", "resume"}:
            subscription = account.get("subscription", str(given.get("subscription")))
            subscriptions.stop_renewing(account, subscription, stop=verb == "cancel")
            return
        method = payment_methods.of_customer(account, str(given.get("method")), customer["id"])
        if verb == "detach":
            payment_methods.let_go(account, method)
        else:
            settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
            account.change(customer, "customer.updated", invoice_settings=settings)

    async def invoice(self, request: web.Request) -> web.StreamResponse:
        return _html(invoice.page(self._account, self._found(request)))

    async def pay_invoice(self, request: web.Request) -> web.StreamResponse:
        found, given = self._found(request), await request.post()
        number = _digits(given.get("number"))
        if number not in CARDS:
            return _html(invoice.page(self._account, found, UNKNOWN_CARD))
        try:
            self._control.pay_invoice(found["id"], number)
        except Refusal as refusal:
            return _html(invoice.page(self._account, found, str(refusal)))
        intent = billing.intent_of(self._account, found)
        if intent["status"] == "requires_action":
            msg = f"/bank/{intent['id']}"
            raise web.HTTPSeeOther(msg)
        msg = f"/i/{found['id']}"
        raise web.HTTPSeeOther(msg)

    async def receipt(self, request: web.Request) -> web.StreamResponse:
        return _html(invoice.receipt(self._account, self._found(request)))

    def _found(self, request: web.Request) -> Object:
        found = self._account.objects.get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound(text="There is no such page.")
        return found


def _way_back(session: Object) -> str:
    return str(session["success_url"]).replace(SESSION, session["id"])


def _digits(given: Any) -> str:
    return "".join(letter for letter in str(given or "") if letter.isdigit())


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")
