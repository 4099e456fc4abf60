"""`/v1/operator/*`: looking at accounts, acting for people, and who may."""

import msgspec

from monkey_coder_protocol import operators as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_protocol.queries import PersonQuery, RoleQuery
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import Forbidden, InvalidRequest, NotFound
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.scopes import OPERATOR_ADMIN, OPERATOR_SUPPORT
from monkey_coder_server.features.accounts import operator_roles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.limits import user_of
from monkey_coder_server.features.accounts.operating import looking
from monkey_coder_server.features.accounts.operating.impersonating import impersonate
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.ports.operators import Appointment
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.operating import actor_of, operator_act, operator_look
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ACCOUNTS = "/v1/operator/accounts"
_OPERATORS = "/v1/operator/operators"
_act = msgspec.json.Decoder(wire.ActRequest)
_appoint = msgspec.json.Decoder(wire.AppointRequest)


class OperatorRoutes:
    """The endpoints. They ask for a person who gave a second factor, and again just now for what changes anything."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of operators but those about money."""
        return (
            operator_look(
                _ACCOUNTS,
                self.find_accounts,
                scope=OPERATOR_SUPPORT,
                action="account.look",
                query=PersonQuery,
                gives=wire.AccountViews,
            ),
            operator_look(
                f"{_ACCOUNTS}/{{account_id}}",
                self.show_account,
                scope=OPERATOR_SUPPORT,
                action="account.look",
                gives=wire.AccountView,
            ),
            operator_act(
                "/v1/operator/impersonations",
                self.act,
                scope=OPERATOR_SUPPORT,
                confirm=Action.OPERATOR,
                action="session.impersonate",
                takes=wire.ActRequest,
                gives=wire.ActingToken,
            ),
            *self._appointing(),
        )

    def _appointing(self) -> tuple[Route, ...]:
        return (
            operator_look(
                _OPERATORS, self.list_operators, scope=OPERATOR_ADMIN, action="operators.list", gives=wire.OperatorList
            ),
            operator_act(
                _OPERATORS,
                self.appoint,
                scope=OPERATOR_ADMIN,
                confirm=Action.OPERATOR,
                action="operator.appoint",
                takes=wire.AppointRequest,
                gives=wire.OperatorInfo,
            ),
            Route(
                "DELETE",
                f"{_OPERATORS}/{{user_id}}",
                self.dismiss,
                auth="session",
                scope=OPERATOR_ADMIN,
                confirm=Action.OPERATOR,
                action="operator.dismiss",
                query=RoleQuery,
                gives=Message,
            ),
        )

    async def find_accounts(self, request: Request) -> Reply:
        """The accounts of the person with the address `email`."""
        email = read_query(PersonQuery, request.pairs).email
        if not email:
            raise InvalidRequest("Name the person whose accounts you look at: `?email=…`.")
        user = await user_of(self._use, email)
        found = await looking.accounts_of(self._use, actor_of(request), user)
        return json_reply(wire.AccountViews(found, len(found)))

    async def show_account(self, request: Request) -> Reply:
        """One account."""
        return json_reply(await looking.account(self._use, actor_of(request), request.parameters["account_id"]))

    async def act(self, request: Request) -> Reply:
        """A token to look through a person's eyes."""
        wish = await json_body(request, _act)
        user = await user_of(self._use, wish.email)
        made = await impersonate(self._use, actor_of(request), user, reason=wish.reason, minutes=wish.minutes)
        return json_reply(
            wire.ActingToken(
                access_token=made.access_token,
                expires_at=made.until.isoformat(),
                session_id=made.session_id,
                user_id=user.user_id,
                account_id=user.account_id,
            )
        )

    async def list_operators(self, request: Request) -> Reply:
        """Everybody in every role."""
        listed = [_shown(appointment, email) for appointment, email in await self._use.operators.list()]
        await tell(self._use, actor_of(request), "operators.list", target="every operator", account_id="")
        return json_reply(wire.OperatorList(listed, len(listed)))

    async def appoint(self, request: Request) -> Reply:
        """A role for somebody else."""
        wish = await json_body(request, _appoint)
        role, user = operator_roles.checked_role(wish.role), await user_of(self._use, wish.email)
        if user.user_id == request.principal.user_id:
            raise Forbidden("Nobody gives a role to themselves; another operator does.")
        operator_roles.refuse_unproven(user)
        made = await operator_roles.appoint(self._use, actor_of(request), user, role, reason=wish.reason)
        return json_reply(_shown(made, user.email))

    async def dismiss(self, request: Request) -> Reply:
        """Take a person's roles, or the one that `role` names."""
        named, user_id = read_query(RoleQuery, request.pairs).role, request.parameters["user_id"]
        roles = frozenset(OperatorRole) if named is None else frozenset({operator_roles.checked_role(named)})
        user = await self._use.accounts.by_id(user_id)
        if user is None or not await operator_roles.dismiss(
            self._use, actor_of(request), user, roles, reason="by another operator"
        ):
            raise NotFound("There is no such operator; GET /v1/operator/operators lists all.")
        return json_reply(Message("This person is no operator in that role any more."))


def _shown(appointment: Appointment, email: str) -> wire.OperatorInfo:
    return wire.OperatorInfo(
        user_id=appointment.user_id,
        email=email,
        role=appointment.role.value,
        given_by=appointment.by,
        given_at=appointment.at.isoformat(),
    )
