"""What Stripe's test numbers do: docs.stripe.com/testing, by brand, declined, 3D Secure, refunds, disputes."""

from dataclasses import dataclass

ALWAYS, UNLESS_SET_UP = "always", "unless_set_up"


@dataclass(frozen=True, slots=True)
class Card:
    """How a bank answers for one number."""

    number: str
    brand: str = "visa"
    decline_code: str = ""
    attaches: bool = True
    """False for a number that is refused on the page already, not only when it is charged."""
    asks: str = ""
    """When the bank wants the owner to prove who they are: always, or unless the card was set up for later use."""
    then: str = ""
    """What follows a payment: dispute, inquiry or fraud_warning."""
    refunds: str = ""
    """`late`: refunds are pending for days; `bounce`: they succeed and fail days later."""


_ALL = (
    Card("4242424242424242"),
    Card("5555555555554444", brand="mastercard"),
    Card("378282246310005", brand="amex"),
    Card("4000000000000002", decline_code="generic_decline", attaches=False),
    Card("4000000000009995", decline_code="insufficient_funds", attaches=False),
    Card("4000000000000069", decline_code="expired_card", attaches=False),
    Card("4000000000000341", decline_code="generic_decline"),
    Card("4000002500003155", asks=UNLESS_SET_UP),
    Card("4000002760003184", asks=ALWAYS),
    Card("4000000000000259", then="dispute"),
    Card("4000000000001976", then="inquiry"),
    Card("4000000000005423", then="fraud_warning"),
    Card("4000000000007726", refunds="late"),
    Card("4000000000005126", refunds="bounce"),
)
CARDS = {card.number: card for card in _ALL}
TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
"""Ready-made payment methods by their documented names."""
BANK_PAYS, BANK_BOUNCES = "000123456789", "000111111116"
"""Account numbers of bank debits that arrive, or fail, days later."""

CODES = {"expired_card": "expired_card", "incorrect_cvc": "incorrect_cvc"}
"""Decline codes that are error codes of their own; all others are `card_declined`."""
SENTENCES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
