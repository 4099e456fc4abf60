"""`client.payments`, sync and async: buying credit and giving it back."""

from monkey_coder import _payment_calls as calls
from monkey_coder._accounts import AsyncCaller, Caller
from monkey_coder._payment_calls import Usd
from monkey_coder_protocol import auth
from monkey_coder_protocol import buying as wire
from monkey_coder_protocol import promotions as promotions_wire


class Payments:
    """Amounts are USD in whole cents. A person who logged in some time ago needs a `confirmation` for money."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def checkout(
        self,
        amount_usd: Usd | None = None,
        *,
        plan: str | None = None,
        save_card: bool = False,
        success_url: str | None = None,
        cancel_url: str | None = None,
    ) -> wire.CheckoutPage:
        """A page to buy credit or a plan on; with neither, `save_card` only takes a card."""
        return self._client.call(
            calls.checkout(amount_usd, plan, save_card=save_card, success_url=success_url, cancel_url=cancel_url)
        )

    def portal(self, return_url: str | None = None) -> wire.PortalPage:
        """A page to see invoices and change cards on."""
        return self._client.call(calls.portal(return_url))

    def list(self, *, limit: int | None = None, after: str | None = None) -> wire.PaymentList:
        """What was paid, newest first, and what can be given back. `after` is the `next` of the page before."""
        return self._client.call(calls.payments(limit, after))

    def refunds(self, *, limit: int | None = None, after: str | None = None) -> wire.RefundList:
        """What was given back, or is on its way, newest first. `after` is the `next` of the page before."""
        return self._client.call(calls.refunds(limit, after))

    def refund(self, amount_usd: Usd, *, reason: str = "", confirmation: str | None = None) -> wire.RefundList:
        """Give back credit that was bought and not used; `all` of it, or an amount."""
        return self._client.call(calls.refund(amount_usd, reason, confirmation))

    def card(self) -> wire.CardInfo:
        """The saved card."""
        return self._client.call(calls.card())

    def remove_card(self) -> auth.Message:
        """Forget the saved card; automatic top-up ends with it."""
        return self._client.call(calls.remove_card())

    def top_up(self) -> wire.TopUp:
        """Automatic top-up as it is set."""
        return self._client.call(calls.top_up())

    def set_top_up(
        self, *, threshold_usd: Usd, amount_usd: Usd, monthly_maximum_usd: Usd, confirmation: str | None = None
    ) -> wire.TopUp:
        """Buy `amount_usd` with the saved card whenever the balance is below `threshold_usd`."""
        return self._client.call(calls.set_top_up(threshold_usd, amount_usd, monthly_maximum_usd, confirmation))

    def remove_top_up(self) -> auth.Message:
        """Buy nothing automatically any more."""
        return self._client.call(calls.remove_top_up())

    def redeem(self, code: str) -> promotions_wire.Redeemed:
        """Credit for a promotion's code, once an account."""
        return self._client.call(calls.redeem(code))

    def promotions(self) -> promotions_wire.RedeemedPromotions:
        """What was redeemed, newest first, and what is left of it."""
        return self._client.call(calls.promotions())


class AsyncPayments:
    """Amounts are USD in whole cents. A person who logged in some time ago needs a `confirmation` for money."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def checkout(
        self,
        amount_usd: Usd | None = None,
        *,
        plan: str | None = None,
        save_card: bool = False,
        success_url: str | None = None,
        cancel_url: str | None = None,
    ) -> wire.CheckoutPage:
        """A page to buy credit or a plan on; with neither, `save_card` only takes a card."""
        return await self._client.call(
            calls.checkout(amount_usd, plan, save_card=save_card, success_url=success_url, cancel_url=cancel_url)
        )

    async def portal(self, return_url: str | None = None) -> wire.PortalPage:
        """A page to see invoices and change cards on."""
        return await self._client.call(calls.portal(return_url))

    async def list(self, *, limit: int | None = None, after: str | None = None) -> wire.PaymentList:
        """What was paid, newest first, and what can be given back. `after` is the `next` of the page before."""
        return await self._client.call(calls.payments(limit, after))

    async def refunds(self, *, limit: int | None = None, after: str | None = None) -> wire.RefundList:
        """What was given back, or is on its way, newest first. `after` is the `next` of the page before."""
        return await self._client.call(calls.refunds(limit, after))

    async def refund(self, amount_usd: Usd, *, reason: str = "", confirmation: str | None = None) -> wire.RefundList:
        """Give back credit that was bought and not used; `all` of it, or an amount."""
        return await self._client.call(calls.refund(amount_usd, reason, confirmation))

    async def card(self) -> wire.CardInfo:
        """The saved card."""
        return await self._client.call(calls.card())

    async def remove_card(self) -> auth.Message:
        """Forget the saved card; automatic top-up ends with it."""
        return await self._client.call(calls.remove_card())

    async def top_up(self) -> wire.TopUp:
        """Automatic top-up as it is set."""
        return await self._client.call(calls.top_up())

    async def set_top_up(
        self, *, threshold_usd: Usd, amount_usd: Usd, monthly_maximum_usd: Usd, confirmation: str | None = None
    ) -> wire.TopUp:
        """Buy `amount_usd` with the saved card whenever the balance is below `threshold_usd`."""
        return await self._client.call(calls.set_top_up(threshold_usd, amount_usd, monthly_maximum_usd, confirmation))

    async def remove_top_up(self) -> auth.Message:
        """Buy nothing automatically any more."""
        return await self._client.call(calls.remove_top_up())

    async def redeem(self, code: str) -> promotions_wire.Redeemed:
        """Credit for a promotion's code, once an account."""
        return await self._client.call(calls.redeem(code))

    async def promotions(self) -> promotions_wire.RedeemedPromotions:
        """What was redeemed, newest first, and what is left of it."""
        return await self._client.call(calls.promotions())
