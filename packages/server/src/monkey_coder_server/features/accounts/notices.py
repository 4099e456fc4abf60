"""Letters to people when something changed about how they log in: who did not do it themselves learns of it.

A letter is written into a queue: nobody waits until it is sent, and nothing fails because it is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.letters import Letter, Link, moment
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.request import Request

_OTHERWISE = (
    "If you did not want that, choose a new password at once: that ends every session. Then look at what else was "
    "changed, with `monkey auth mfa status` and on the page /identities."
)


@dataclass(frozen=True, slots=True)
class _Notice:
    """The subject, and what was done; `{}` stands for what it was done with."""

    subject: str
    done: str


_OF: Mapping[str, _Notice] = {
    "factor.totp.add": _Notice(
        "Your account has an authenticator app",
        "an authenticator app became a second factor of your account. One that was there before counts no more.",
    ),
    "factor.totp.remove": _Notice(
        "Your authenticator app is no second factor any more",
        "the authenticator app was taken away from the second factors of your account.",
    ),
    "factor.passkey.add": _Notice(
        "Your account has a new passkey",
        "the passkey “{}” was added to your account. It is a second factor, and logs in without a password.",
    ),
    "factor.passkey.remove": _Notice(
        "A passkey of your account was removed", "the passkey “{}” was taken away from your account."
    ),
    "factor.recovery_codes.make": _Notice(
        "Your account has new recovery codes",
        "new recovery codes were made for your account. Those from before are good no more.",
    ),
    "factor.recovery_code.use": _Notice(
        "A recovery code of your account was used",
        "one of your recovery codes was used up in place of your second factor. You have {} left; "
        "`monkey auth mfa recovery-codes` makes new ones.",
    ),
    "factor.remove": _Notice(
        "Your second factors were removed",
        "every second factor of your account was removed and every session ended. The password alone logs in now.",
    ),
    "identity.link": _Notice(
        "Your account is linked with {}", "an account at {} was linked with yours: it opens your account from now on."
    ),
    "identity.unlink": _Notice(
        "Your account is linked with {} no more",
        "the account at {} was taken away from yours: it opens your account no more. Other sessions were ended.",
    ),
}


async def note_and_tell(  # noqa: PLR0913 - what is told, by name
    use: Dependencies,
    request: Request,
    user: User,
    action: str,
    *,
    target: str = "",
    details: str = "",
    about: str = "",
) -> None:
    """Note what a person did in the audit trail, and write to them; `about` is what they did it with.

    An address that nobody has proved to be theirs gets few letters: it may be a stranger's.
    """
    await note(use, request, user, action, target=target, details=details)
    if user.email_verified_at is not None or await _may_write(use, user):
        write_to(use, user, action, by=f"a person at the network address {request.client_ip}", about=about)


def write_to(use: Dependencies, user: User, action: str, *, by: str, about: str = "") -> None:
    """Write to a person what was changed, just now, and by whom; returns at once."""
    notice = _OF[action]
    use.letters.send(
        user.email,
        Letter(
            notice.subject.format(about),
            (
                f"On {moment(use.clock.now())} this was done by {by}: {notice.done.format(about)}",
                _OTHERWISE,
            ),
            Link("Choose a new password", "/forgot-password"),
            ("If you did, there is nothing you need to do.",),
        ),
    )


async def _may_write(use: Dependencies, user: User) -> bool:
    try:
        return await throttles.may_write(use, user.email, proved=False)
    except Unavailable:  # what was done is done, and told in the trail
        return False
