"""How sure the gateway must be that a person is who they were at log-in, before a route is served to them."""

from monkey_coder_server.domain.confirmation import Action, SecondFactors, fresh
from monkey_coder_server.domain.errors import ConfirmationRequired, Forbidden, MfaEnrolmentRequired
from monkey_coder_server.domain.scopes import OPERATOR_SCOPES
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.factors import SecondFactorRules
from monkey_coder_server.ports.tickets import Tickets, digest_of
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.request import Request

CONFIRMATION_HEADER = "x-mk-confirmation"
MAY_BE_ASKED_FOR_OTHERS = frozenset({"/v1/router/debug", "/v1/auth/logout"})
"""What is sent by POST and changes nothing but the session itself."""
_ENROL = (
    "A second factor is required here. Add one with `monkey auth mfa enroll` or POST /v1/auth/mfa/totp/enroll; "
    "if you have one, log in again with it."
)
_OPERATORS_OFF = "Second factors are off (MFA_ENABLED), so operators have no routes; use `monkey-server admin`."


def purpose_of(action: Action) -> str:
    """The purpose of the tickets that confirm an action."""
    return f"confirm {action}"


def proof_of(request: Request) -> bytes:
    """What a session has shown for a request: itself, and the confirmation if it sent one."""
    return digest_of(f"{request.principal.session_id or ''} {request.header(CONFIRMATION_HEADER) or ''}")


def refuse_acting(route: Route) -> None:
    """An operator in a person's place sees what they see, and changes and spends nothing. Raises `Forbidden`."""
    if route.method != "GET" and route.path not in MAY_BE_ASKED_FOR_OTHERS:
        raise Forbidden("This session acts for somebody else: it may look at everything and change nothing.")


class Assurance:
    """Asked after authentication, of people's sessions only: a key is a credential for machines."""

    def __init__(self, rules: SecondFactorRules, tickets: Tickets, clock: Clock) -> None:
        self._rules = rules
        self._tickets = tickets
        self._clock = clock

    async def check(self, request: Request, route: Route) -> None:
        """Raises `MfaEnrolmentRequired`, `ConfirmationRequired`, `Forbidden`, `Unavailable`."""
        principal = request.principal
        if principal.impersonator:
            refuse_acting(route)
            return
        if route.scope in OPERATOR_SCOPES:
            self._check_operator(principal)
        if not route.enrolling and not principal.second_factor and self._required_of(principal):
            raise MfaEnrolmentRequired(_ENROL)
        if route.confirm is None:
            return
        token = request.header(CONFIRMATION_HEADER)
        if token is not None:
            await self._redeem(token, route.confirm, request)
        elif not await self._recent_proof_is_enough(principal, route.confirm):
            raise ConfirmationRequired(_how(route.confirm))

    def _check_operator(self, principal: Principal) -> None:
        if self._rules.mode is SecondFactors.OFF:
            raise Forbidden(_OPERATORS_OFF)
        if not principal.second_factor:
            raise MfaEnrolmentRequired(_ENROL)

    def _required_of(self, principal: Principal) -> bool:
        return self._rules.mode is SecondFactors.REQUIRED or principal.second_factor_required

    async def _recent_proof_is_enough(self, principal: Principal, action: Action) -> bool:
        """Not for factors where there is one: who stole a young session could lock its owner out for good."""
        if not fresh(principal.confirmed_at, self._clock.now()):
            return False
        return action is not Action.FACTORS or not await self._rules.asked_of(principal.user_id)

    async def _redeem(self, token: str, action: Action, request: Request) -> None:
        digest, purpose, now = digest_of(token), purpose_of(action), self._clock.now()
        ticket = await self._tickets.find(digest, purpose, now)
        if (
            ticket is None
            or ticket.subject != request.principal.session_id
            or (ticket.details and ticket.details not in request.parameters.values())
            or await self._tickets.redeem(digest, purpose, now) is None
        ):
            message = f"This confirmation was used, has expired, or is for something else. {_how(action)}"
            raise ConfirmationRequired(message)


def _how(action: Action) -> str:
    return (
        f'Prove first that it is you: POST /v1/auth/confirm with {{"action": "{action}"}} and your password, code or '
        f"passkey; then send its `confirmation` in the header {CONFIRMATION_HEADER}."
    )
