"""The two forms of every log-in in a browser: who it is, and the second step of who has a second factor."""

from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.domain.errors import GatewayError, InvalidCredentials, NotFound
from monkey_coder_server.features.accounts.cli_login.door import Door
from monkey_coder_server.features.accounts.cli_login.passkey_pages import SCRIPT, json_of
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import passkeys, second_step
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response


class LoginForms:
    """Over one set of dependencies. `leads` is the page that follows."""

    def __init__(self, use: Dependencies, door: Door) -> None:
        self._use = use
        self._door = door

    async def log_in(
        self, request: Request, leads: str, *, email: str = "", refused: GatewayError | None = None
    ) -> Response:
        """Address and password, a passkey, or an account elsewhere."""
        known = await self._door.known(request)
        return self._door.show(
            request,
            "login.html",
            status=200 if refused is None else status_of(refused),
            following=leads,
            known=known is not None,
            passkeys=self._use.factors.rules.mode is not SecondFactors.OFF,
            providers=list(self._use.sign_in.values()),
            email=email or (known.email if known is not None else ""),
            refused="" if refused is None else refused.message,
        )

    async def second_step(
        self, request: Request, leads: str, mfa_token: str, refused: GatewayError | None = None
    ) -> Response:
        """A code or a passkey, with the token of the first step."""
        options = await self._passkey_options(mfa_token)
        return self._door.show(
            request,
            "second_step.html",
            status=200 if refused is None else status_of(refused),
            script=SCRIPT if options else "",
            options=options,
            following=leads,
            mfa_token=mfa_token,
            refused="" if refused is None else refused.message,
        )

    async def _passkey_options(self, mfa_token: str) -> str:
        """What the browser is asked of who has a passkey; empty for others, and for a log-in that is over."""
        try:
            login = await second_step.waiting(self._use, mfa_token)
            return json_of(await passkeys.asked(self._use, login.ceremony, login.user))
        except (InvalidCredentials, NotFound):
            return ""
