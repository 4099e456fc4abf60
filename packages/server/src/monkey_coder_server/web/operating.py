"""Who acts on the operator's side, and what the audit trail is told of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import Forbidden, InvalidRequest
from monkey_coder_server.domain.operators import OPERATOR, acting_name
from monkey_coder_server.ports.accounts import AuditEntry
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.request import Request, agent_of

LONGEST_REASON = 300
Insider = Callable[[str, str], Awaitable[bool]]
"""Whether a person, the first, has a share in an account."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever types the operator's commands, or a person in an operator's role, and from where."""

    name: str = OPERATOR
    address: str = ""
    agent: str = ""

    def entry(  # noqa: PLR0913 - a line of the trail, by name
        self,
        action: str,
        *,
        target: str,
        at: datetime,
        account_id: str = "",
        details: str = "",
        on_behalf_of: str = "",
    ) -> AuditEntry:
        """An entry on what they did; the members of the account read it."""
        return AuditEntry(
            actor=self.name,
            action=action,
            target=target,
            at=at,
            account_id=account_id,
            details=details,
            address=self.address,
            agent=self.agent,
            on_behalf_of=on_behalf_of,
        )


COMMANDS = Actor()


def operator_look(  # noqa: PLR0913 - a route, by name
    path: str, endpoint: Endpoint, *, scope: str, action: str, gives: type, query: type | None = None
) -> Route:
    """A route operators look by: a person's session with an operator's right, and what the trail calls it."""
    return Route("GET", path, endpoint, auth="session", scope=scope, action=action, query=query, gives=gives)


def operator_act(  # noqa: PLR0913 - as above
    path: str, endpoint: Endpoint, *, scope: str, confirm: Action, action: str, takes: type, gives: type
) -> Route:
    """A route operators change something by: besides, they prove just before that it is them, and it is done once."""
    return Route(
        "POST",
        path,
        endpoint,
        auth="session",
        scope=scope,
        once=True,
        confirm=confirm,
        action=action,
        takes=takes,
        gives=gives,
    )


def actor_of(request: Request) -> Actor:
    """The operator who sent a request."""
    return Actor(acting_name(request.principal.user_id), request.client_ip, agent_of(request))


def checked_reason(text: str) -> str:
    """Why it is done, in one line. Raises `InvalidRequest`."""
    reason = text.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        message = f"Say why in one line of at most {LONGEST_REASON} characters (`reason`)."
        raise InvalidRequest(message)
    return reason


async def account_of_path(request: Request, ledger: Records) -> str:
    """The account an operator's path names. Raises `NotFound`."""
    account_id = request.parameters["account_id"]
    await ledger.wallet(account_id)
    return account_id


async def others_account(request: Request, ledger: Records, insider: Insider) -> str:
    """The same, where the operator has no share in it. Raises `Forbidden`, too."""
    account_id = await account_of_path(request, ledger)
    if await insider(request.principal.user_id, account_id):
        raise Forbidden("Nobody moves money of an account of their own; another operator does.")
    return account_id
