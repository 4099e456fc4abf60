"""What the letters say."""

from datetime import datetime

from monkey_coder_server.features.accounts.letters import Letter, Link, moment

_NOT_YOU = "If it was not you, do nothing: nothing changes, and the link is good for nobody else's address."


def verification(token: str) -> Letter:
    """To an address whose owner is to confirm it."""
    return Letter(
        "Confirm your address for Monkey Coder",
        ("Somebody, most likely you, has an account at Monkey Coder with this address.",),
        Link("Confirm the address", f"/verify-email?token={token}"),
        ("The link is good for an hour and for one use.", _NOT_YOU),
    )


def reset(token: str) -> Letter:
    """To who forgot their password."""
    return Letter(
        "Choose a new password for Monkey Coder",
        ("Somebody, most likely you, wants to set a new password for the account with this address.",),
        Link("Choose a new password", f"/reset-password?token={token}"),
        (
            "The link is good for half an hour and for one use. A second factor stays needed at log-in.",
            "If it was not you, do nothing: your password stays as it is.",
        ),
    )


def new_address(token: str) -> Letter:
    """To the address an account is to have."""
    return Letter(
        "Confirm your new address for Monkey Coder",
        ("Somebody, most likely you, wants this to be the address of their account at Monkey Coder.",),
        Link("Use this address", f"/verify-email?token={token}"),
        ("The link is good for an hour and for one use.", _NOT_YOU),
    )


def taken_address() -> Letter:
    """To an address that somebody else's account was to have."""
    return Letter(
        "Your address has an account at Monkey Coder already",
        (
            "Somebody wants to use this address for their account. There is one with it already: nothing was changed.",
            "If it was you, log in to the account with this address, or choose another address for the other one.",
        ),
    )


def address_asked_for(place: str, at: datetime) -> Letter:
    """To the present address when another is asked for."""
    return Letter(
        "Somebody wants another address for your account",
        (
            f"On {moment(at)} a person at the network address {place}, who knows your password, asked for that.",
            "If it was you, follow the link in the mail to the new address. If not, change your password now.",
        ),
    )


def address_changed(at: datetime) -> Letter:
    """To the address an account no longer has."""
    return Letter(
        "The address of your account was changed",
        (
            f"On {moment(at)} your account at Monkey Coder was given another e-mail address. Mail goes there now.",
            "If it was not you, write to whoever runs this gateway.",
        ),
    )


def password_changed(place: str, at: datetime) -> Letter:
    """To whose password is another one now."""
    return Letter(
        "Your password was changed",
        (
            f"On {moment(at)} a person at the network address {place} changed the password of your account.",
            "Other sessions were ended. API keys go on working: `monkey keys list` shows them.",
            "If it was not you, choose a new password at once, by the link that a mail brings:",
        ),
        Link("Choose a new password", "/forgot-password"),
    )
