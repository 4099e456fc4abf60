"""Mails about payments that were tried with nobody there."""

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.top_ups import STRIKES, TopUpStanding, TopUpState
from monkey_coder_server.features.billing.buying.amounts import cents_usd
from monkey_coder_server.features.billing.buying.checkout import HOME
from monkey_coder_server.features.billing.buying.dependencies import Dependencies, Notice

_BY_HAND = "Until then requests are served as long as there is credit."


def declined(standing: TopUpStanding, cents: int) -> Notice:
    """The card was not charged; it may have been the last try."""
    amount = cents_usd(cents)
    said = f"Your balance fell below {cents_usd(standing.rule.threshold)} USD, and {amount} USD were to be bought."
    why = f"The payment failed: {standing.last_failure}."
    if standing.state is TopUpState.OFF:
        return Notice(
            "Automatic top-up is switched off",
            (
                said,
                why,
                f"After {STRIKES} payments in a row that failed, nothing is tried any more.",
                "Save a card that works and set automatic top-up again.",
            ),
            ("Add credit", f"{HOME}?amount_usd={amount}&save_card=1"),
        )
    return Notice(
        "A top-up of your balance failed",
        (said, why, f"It is tried again later. {_BY_HAND}"),
        ("Add credit now", f"{HOME}?amount_usd={amount}&save_card=1"),
    )


def needs_you(standing: TopUpStanding, cents: int) -> Notice:
    """The bank wants its customer to say that it is them."""
    amount = cents_usd(cents)
    last = " Automatic top-up is switched off until you set it again." if standing.state is TopUpState.OFF else ""
    return Notice(
        "Your bank asks you to confirm a payment",
        (
            f"{amount} USD of credit were to be bought, and your bank wants you to confirm it yourself.",
            f"Nothing was charged.{last}",
            f"Follow the link and pay on the page it opens. {_BY_HAND}",
        ),
        (f"Pay {amount} USD", f"{HOME}?amount_usd={amount}&save_card=1"),
    )


async def write(use: Dependencies, account_id: str, notice: Notice) -> None:
    """Write to everybody who answers for the account."""
    try:
        payers = await use.payers(account_id)
    except Unavailable:  # what was done is done, and told in the trail
        return
    for payer in payers:
        use.post(payer.email, notice)
