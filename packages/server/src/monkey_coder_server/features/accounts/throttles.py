"""How often may be tried what can be guessed or flooded. The counts are the database's: more processes give no more.

A stranger's tries count for the account they are at; those of a place the person has logged in from before count apart,
so that nobody can lock a person out of where they are at home. Mails to an address are counted by what they are for:
who asks for the one kind keeps nobody from the other.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.throttling import SECOND, Allowance, mailbox_of, place_of
from monkey_coder_server.features.accounts.dependencies import Dependencies

LOGIN = "login"
AT_HOME = timedelta(days=180)
"""So long after a log-in its place is one the person is known at."""
AN_ACCOUNT = Allowance(free=10, forgotten_after=7_200 * SECOND, first=2 * SECOND, longest=900 * SECOND)
"""A hundred guesses a day at most, after the first ten."""
A_SECRET = Allowance(free=10, forgotten_after=300 * SECOND, first=2 * SECOND, longest=900 * SECOND)
"""What a person who is logged in types: nobody else can use up their tries."""
A_FACTOR = Allowance(free=5, forgotten_after=1_800 * SECOND, first=30 * SECOND, longest=900 * SECOND)
"""Of a million codes three are right at a time: a hundred guesses a day at most, after the first five."""
A_PLACE = Allowance(free=100, forgotten_after=36 * SECOND, first=SECOND, longest=900 * SECOND)
A_BUSY_PLACE = Allowance(free=100, forgotten_after=3 * SECOND, first=3 * SECOND, longest=3 * SECOND)
"""A hundred in five minutes."""
COUNTED_TOGETHER = frozenset({"register", "second step", "report", "device", "oauth"})
"""What is counted for all processes by its place. Elsewhere 256 random bits are brought, which nobody guesses: a bound
for each process keeps them from being work."""
AN_INVITER = Allowance(free=30, forgotten_after=120 * SECOND, first=120 * SECOND, longest=120 * SECOND)
"""Thirty an hour: invitations are mail to strangers."""
MAIL_TO_ONE = Allowance(free=3, forgotten_after=3_600 * SECOND, first=60 * SECOND, longest=1_800 * SECOND)
"""No wait is longer than a link is good: who is kept from asking has one in their mail."""
MAIL_TO_A_STRANGER = Allowance(free=6, forgotten_after=14_400 * SECOND, first=60 * SECOND, longest=14_400 * SECOND)
"""Who is invited, or whose address somebody gave as theirs: a dozen in the first hours, then six a day."""
MAIL_FROM_A_PLACE = Allowance(free=20, forgotten_after=180 * SECOND, first=10 * SECOND, longest=1_800 * SECOND)
TOO_MANY = "Too many tries; wait a little before the next."


async def count_guess(use: Dependencies, *, action: str, account: str, client_ip: str) -> None:
    """Count a try before what was sent is looked at. Raises `RateLimited`, `Unavailable`."""
    if action == LOGIN:
        guesses = {await _login_subject(use, account, client_ip): AN_ACCOUNT}
    else:
        guesses = {f"{action} account {_folded(account)}": A_SECRET}
    await count(use, {**guesses, place_at(action, client_ip): A_PLACE})


async def login_succeeded(use: Dependencies, *, email: str, client_ip: str) -> None:
    """The password was right: the account's tries are forgotten, and this one was no guess."""
    await use.tries.forget(await _login_subject(use, email, client_ip))
    await use.tries.give_back(place_at(LOGIN, client_ip), A_PLACE)


async def guess_was_right(use: Dependencies, *, action: str, account: str, client_ip: str) -> None:
    """What was sent was right: the tries at it are forgotten, and this one was no guess."""
    await use.tries.forget(f"{action} account {_folded(account)}")
    await use.tries.give_back(place_at(action, client_ip), A_PLACE)


async def forget_strangers(use: Dependencies, email: str) -> None:
    """The person has proved by mail that it is them: what strangers tried before counts no more."""
    await use.tries.forget(f"{LOGIN} account {_folded(email)}")


async def count_mail(use: Dependencies, purpose: str, *, email: str, client_ip: str) -> None:
    """Count a mail that is asked for, whether anybody has the address or not. Raises `RateLimited`, `Unavailable`."""
    asked_for = {f"mail to {purpose} {_folded(email)}": MAIL_TO_ONE, place_at("mail", client_ip): MAIL_FROM_A_PLACE}
    await count(use, asked_for)


async def may_write(use: Dependencies, address: str, *, proved: bool) -> bool:
    """Count a letter about to be posted to an address of an account. False: its mailbox got many such already.

    Whoever opens accounts for all spellings of a stranger's address sends few letters. An address that its owner has
    proved is never held back for that; the work is the same. Raises `Unavailable`.
    """
    kind = "proved" if proved else "unproved"
    pause = await use.tries.take(
        {f"mail to {kind} {_folded(mailbox_of(address))}": MAIL_TO_A_STRANGER}, use.clock.now()
    )
    return proved or not pause


async def count_invitation(use: Dependencies, *, inviter: str, email: str, client_ip: str) -> None:
    """Count an invitation by who sends it, to whom, and from where. Raises `RateLimited`, `Unavailable`."""
    subjects = {
        f"invitations of {inviter}": AN_INVITER,
        f"invitation of {_folded(mailbox_of(email))}": MAIL_TO_A_STRANGER,
        place_at("invitation", client_ip): A_PLACE,
    }
    await count(use, subjects, "Many invitations were sent, by you or to this address; send the next a little later.")


def place_at(action: str, client_ip: str) -> str:
    """The subject of what is tried from a network address."""
    return f"{action} from {place_of(client_ip)}"


def second_factor_of(user_id: str) -> str:
    """The subject of tries at a person's codes."""
    return f"second factor {user_id}"


async def count(use: Dependencies, subjects: Mapping[str, Allowance], refusal: str = TOO_MANY) -> None:
    """Count one try for each subject, or none. Raises `RateLimited`, `Unavailable`."""
    pause = await use.tries.take(subjects, use.clock.now())
    if pause:
        raise RateLimited(refusal, retry_after=pause.total_seconds())


async def _login_subject(use: Dependencies, email: str, client_ip: str) -> str:
    if await use.sessions.seen_from(email, client_ip, use.clock.now() - AT_HOME):
        return f"{LOGIN} account {_folded(email)} at home {place_of(client_ip)}"
    return f"{LOGIN} account {_folded(email)}"


def _folded(email: str) -> str:
    """Of one length, whatever is sent."""
    return sha256(email.strip().casefold().encode()).hexdigest()
