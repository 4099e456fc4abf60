"""How often addresses and passwords may be tried. The counts are the database's: more processes give no more tries.

A stranger's tries count for the account they are at; those of a place the person has logged in from before count apart,
so that nobody can lock a person out of where they are at home. Mail for a forgotten password is counted apart too.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.throttling import SECOND, Allowance, place_of
from monkey_coder_server.features.accounts.dependencies import Dependencies

LOGIN = "login"
AT_HOME = timedelta(days=180)
"""So long after a log-in its place is one the person is known at."""
AN_ACCOUNT = Allowance(free=10, forgotten_after=7_200 * SECOND, first=2 * SECOND, longest=900 * SECOND)
"""A hundred guesses a day at most, after the first ten."""
A_SECRET = Allowance(free=10, forgotten_after=300 * SECOND, first=2 * SECOND, longest=900 * SECOND)
"""What a person who is logged in types: nobody else can use up their tries."""
A_PLACE = Allowance(free=100, forgotten_after=36 * SECOND, first=SECOND, longest=900 * SECOND)
MAIL_TO_ONE = Allowance(free=3, forgotten_after=1_200 * SECOND, first=60 * SECOND, longest=1_800 * SECOND)
MAIL_FROM_A_PLACE = Allowance(free=20, forgotten_after=180 * SECOND, first=10 * SECOND, longest=1_800 * SECOND)
TOO_MANY = "Too many tries; wait a little before the next."


async def count_guess(use: Dependencies, *, action: str, account: str, client_ip: str) -> None:
    """Count a try before what was sent is looked at. Raises `RateLimited`, `Unavailable`."""
    place = f"{action} from {place_of(client_ip)}"
    if action == LOGIN:
        guesses = {await _login_subject(use, account, client_ip): AN_ACCOUNT}
    else:
        guesses = {f"{action} account {_folded(account)}": A_SECRET}
    await count(use, {**guesses, place: A_PLACE})


async def login_succeeded(use: Dependencies, *, email: str, client_ip: str) -> None:
    """The password was right: the account's tries are forgotten, and this one was no guess."""
    await use.tries.forget(await _login_subject(use, email, client_ip))
    await use.tries.give_back(f"{LOGIN} from {place_of(client_ip)}", A_PLACE)


async def guess_was_right(use: Dependencies, *, action: str, account: str, client_ip: str) -> None:
    """What was sent was right: the tries at it are forgotten, and this one was no guess."""
    await use.tries.forget(f"{action} account {_folded(account)}")
    await use.tries.give_back(f"{action} from {place_of(client_ip)}", A_PLACE)


async def forget_strangers(use: Dependencies, email: str) -> None:
    """The person has proved by mail that it is them: what strangers tried before counts no more."""
    await use.tries.forget(f"{LOGIN} account {_folded(email)}")


async def count_mail(use: Dependencies, *, email: str, client_ip: str) -> None:
    """Count a mail that is asked for, whether anybody has the address or not. Raises `RateLimited`, `Unavailable`."""
    await count(use, {f"mail {_folded(email)}": MAIL_TO_ONE, f"mail from {place_of(client_ip)}": MAIL_FROM_A_PLACE})


async def count(use: Dependencies, subjects: Mapping[str, Allowance]) -> None:
    """Count one try for each subject, or none. Raises `RateLimited`, `Unavailable`."""
    pause = await use.tries.take(subjects, use.clock.now())
    if pause:
        raise RateLimited(TOO_MANY, retry_after=pause.total_seconds())


async def _login_subject(use: Dependencies, email: str, client_ip: str) -> str:
    if await use.sessions.seen_from(email, client_ip, use.clock.now() - AT_HOME):
        return f"{LOGIN} account {_folded(email)} at home {place_of(client_ip)}"
    return f"{LOGIN} account {_folded(email)}"


def _folded(email: str) -> str:
    """Of one length, whatever is sent."""
    return sha256(email.strip().casefold().encode()).hexdigest()
