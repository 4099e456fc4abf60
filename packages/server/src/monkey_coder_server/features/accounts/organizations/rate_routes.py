"""Rates of an organization and those in it, and what all rates, limits and rules come to for who asks."""

import msgspec

from monkey_coder_protocol import organizations as wire
from monkey_coder_protocol.queries import PolicyQuery
from monkey_coder_server.domain.errors import Forbidden, InvalidRequest
from monkey_coder_server.domain.rates import Caller, Measure
from monkey_coder_server.domain.scopes import BILLING_READ, KEYS_MANAGE, ORGANIZATION_MANAGE, ORGANIZATION_READ, covers
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.limits import checked_project
from monkey_coder_server.features.accounts.organizations.audit import Notes
from monkey_coder_server.features.accounts.organizations.holders import holder_of, place_of
from monkey_coder_server.features.accounts.organizations.people import organization_of
from monkey_coder_server.features.accounts.organizations.policy import Subject, of_key, policy_of
from monkey_coder_server.features.accounts.organizations.rule_checks import checked_models
from monkey_coder_server.features.accounts.rates import rules_of_account, shown_rules, write_rates
from monkey_coder_server.features.accounts.rights import seen_key
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_rate = msgspec.json.Decoder(wire.SetRate)


class RateRoutes:
    """The endpoints."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._note = Notes(use).add

    def routes(self) -> tuple[Route, ...]:
        """Every route of rates, and the one that shows all there is."""
        rates = "/v1/organizations/{organization_id}/rates"
        return (
            Route("GET", rates, self.rates, scope=ORGANIZATION_READ, gives=wire.RateList),
            Route(
                "PUT",
                rates,
                self.set_rates,
                scope=ORGANIZATION_MANAGE,
                action="rates.set",
                takes=wire.SetRate,
                gives=wire.RateList,
            ),
            Route("GET", "/v1/limits", self.limits, scope=BILLING_READ, query=PolicyQuery, gives=wire.KeyPolicy),
        )

    async def rates(self, request: Request) -> Reply:
        """Every rate of the organization, whoever in it holds it."""
        await organization_of(self._use, request.principal)
        return await self._rates(request.principal.account_id)

    async def set_rates(self, request: Request) -> Reply:
        """Set rates of the organization, a team, a project or a key, or take them back."""
        wish = await json_body(request, _rate)
        use, account_id = self._use, (await organization_of(self._use, request.principal)).account_id
        allowed = {
            measure: figure
            for measure, figure in zip(Measure, (wish.requests, wish.tokens, wish.concurrency), strict=True)
            if figure is not msgspec.UNSET
        }
        if not allowed:
            raise InvalidRequest(
                "Nothing is set: send `requests`, `tokens` or `concurrency`, or null to take one back."
            )
        holder = await holder_of(use, account_id, kind=wish.holder, holder_id=wish.holder_id)
        model = checked_models([wish.model])[0] if wish.model else ""
        told = await write_rates(use, account_id, holder, model, allowed)
        await self._note(request, "rates.set", holder.id, f"{holder.kind}, {told}")
        return await self._rates(account_id)

    async def limits(self, request: Request) -> Reply:
        """Every rate, spending limit and rule that counts for who asks, each with where it comes from."""
        query = read_query(PolicyQuery, request.pairs)
        return json_reply(await policy_of(self._use, await self._subject(request, query)))

    async def _subject(self, request: Request, query: PolicyQuery) -> Subject:
        """Whom the answer is about: the key or project that is named, else who asks, from where they ask.

        Raises `InvalidRequest`, `Forbidden`, `NotFound`.
        """
        use, principal = self._use, request.principal
        if query.key_id and query.project_id:
            raise InvalidRequest("Name a key with `key_id` or a project with `project_id`, not both.")
        if query.key_id and query.key_id != principal.key_id:
            if not covers(principal.scopes, KEYS_MANAGE):
                message = f"What counts for another key is told to who has the scope `{KEYS_MANAGE}`."
                raise Forbidden(message)
            return of_key(await seen_key(use, principal, query.key_id))
        if principal.key is not None and not query.project_id:
            return of_key(principal.key, request.client_ip)
        project_id, team_id = await place_of(use, principal.account_id, checked_project(query.project_id or None))
        caller = Caller(principal.account_id, principal.key_id, project_id, team_id, address=request.client_ip)
        return Subject(caller._replace(address="") if project_id else caller, principal.scopes)

    async def _rates(self, account_id: str) -> Reply:
        found = shown_rules(account_id, await rules_of_account(self._use, account_id))
        return json_reply(wire.RateList(found, len(found)))
