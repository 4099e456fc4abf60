"""The person behind a session, and whether it is really them."""

from monkey_coder_server.domain.errors import Forbidden, InvalidCredentials, NotAuthenticated
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.policy import LONGEST_PASSWORD
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.request import Request

_WRONG = "The password is not right; POST /v1/auth/password/forgot brings a mail with which you can set a new one."
_NOT_YOURS = "Who acts for somebody else does not change how they log in."


async def person(use: Dependencies, request: Request) -> User:
    """Whose session asks. Raises `Forbidden` for who acts as somebody else, `NotAuthenticated`."""
    if request.principal.impersonator:
        raise Forbidden(_NOT_YOURS)
    user = await use.accounts.by_id(request.principal.user_id)
    if user is None:
        raise NotAuthenticated("The account of this credential no longer exists.")
    return user


async def check_again(use: Dependencies, request: Request, user: User, password: str) -> None:
    """The person has a session and gives their password too.

    Raises `InvalidCredentials`, `RateLimited`, `Unavailable`.
    """
    await throttles.count_guess(use, action="check password", account=user.user_id, client_ip=request.client_ip)
    if len(password) > LONGEST_PASSWORD or not await use.passwords.verify(password, user.password_hash):
        raise InvalidCredentials(_WRONG)
    await throttles.guess_was_right(use, action="check password", account=user.user_id, client_ip=request.client_ip)
