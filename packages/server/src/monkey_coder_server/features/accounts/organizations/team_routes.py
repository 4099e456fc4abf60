"""Teams and projects of an organization, their limits and rules on models, and what they come to for a key."""

import msgspec

from monkey_coder_protocol import organizations as wire
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.limits import Limit, Period, Unit
from monkey_coder_server.domain.money import asked_usd
from monkey_coder_server.domain.scopes import KEYS_MANAGE, ORGANIZATION_MANAGE, ORGANIZATION_READ
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.limits import checked_project, checked_tokens
from monkey_coder_server.features.accounts.organizations import policy
from monkey_coder_server.features.accounts.organizations.audit import Notes
from monkey_coder_server.features.accounts.organizations.holders import SETTABLE, holder_of
from monkey_coder_server.features.accounts.organizations.people import checked_name, organization_of
from monkey_coder_server.features.accounts.organizations.rule_checks import checked_models, checked_rule, told_of
from monkey_coder_server.features.accounts.rights import seen_key
from monkey_coder_server.ports.teams import Project, Team
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply
from monkey_coder_server.web.standings import shown_standing

MOST = 1_000
"""Teams, and projects, of one organization."""
_ONE = "/v1/organizations/{organization_id}"
_team = msgspec.json.Decoder(wire.CreateTeam)
_project = msgspec.json.Decoder(wire.CreateProject)
_limit = msgspec.json.Decoder(wire.SetLimit)
_rule = msgspec.json.Decoder(wire.SetModelRule)


class TeamRoutes:
    """The endpoints."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._note = Notes(use).add

    def routes(self) -> tuple[Route, ...]:
        """Every route of teams and projects, and of what is ruled."""
        read, manage = ORGANIZATION_READ, ORGANIZATION_MANAGE
        teams, projects = f"{_ONE}/teams", f"{_ONE}/projects"
        limits, rules = f"{_ONE}/limits", f"{_ONE}/model-rules"
        return (
            Route("GET", teams, self.teams, scope=read, gives=wire.TeamList),
            Route(
                "POST",
                teams,
                self.add_team,
                scope=manage,
                once=True,
                action="team.create",
                takes=wire.CreateTeam,
                gives=wire.TeamInfo,
            ),
            Route("GET", projects, self.projects, scope=read, gives=wire.ProjectList),
            Route(
                "POST",
                projects,
                self.add_project,
                scope=manage,
                once=True,
                action="project.create",
                takes=wire.CreateProject,
                gives=wire.ProjectInfo,
            ),
            Route("GET", limits, self.limits, scope=read, gives=wire.LimitList),
            Route(
                "PUT",
                limits,
                self.set_limit,
                scope=manage,
                action="limits.set",
                takes=wire.SetLimit,
                gives=wire.LimitList,
            ),
            Route("GET", rules, self.rules, scope=read, gives=wire.ModelRuleList),
            Route(
                "PUT",
                rules,
                self.set_rule,
                scope=manage,
                action="models.rule",
                takes=wire.SetModelRule,
                gives=wire.ModelRuleList,
            ),
            Route("GET", "/v1/keys/{key_id}/policy", self.policy, scope=KEYS_MANAGE, gives=wire.KeyPolicy),
        )

    async def teams(self, request: Request) -> Reply:
        """The organization's teams."""
        await organization_of(self._use, request.principal)
        found = [shown_team(team) for team in await self._use.teams.teams(request.principal.account_id)]
        return json_reply(wire.TeamList(found, len(found)))

    async def add_team(self, request: Request) -> Reply:
        """A new team."""
        wish = await json_body(request, _team)
        organization = await organization_of(self._use, request.principal)
        use = self._use
        team = Team(use.ids.new("team"), organization.account_id, checked_name(wish.name), use.clock.now())
        await use.teams.add_team(team, most=MOST)
        await self._note(request, "team.create", team.team_id, team.name)
        return json_reply(shown_team(team))

    async def projects(self, request: Request) -> Reply:
        """The organization's projects."""
        await organization_of(self._use, request.principal)
        found = [shown_project(each) for each in await self._use.teams.projects(request.principal.account_id)]
        return json_reply(wire.ProjectList(found, len(found)))

    async def add_project(self, request: Request) -> Reply:
        """A new project, of a team or of none."""
        wish = await json_body(request, _project)
        organization = await organization_of(self._use, request.principal)
        project_id = checked_project(wish.project_id) or ""
        name = project_id if wish.name is None else checked_name(wish.name)
        project = Project(organization.account_id, project_id, wish.team_id, self._use.clock.now(), name)
        await self._use.teams.add_project(project, most=MOST)
        await self._note(request, "project.create", project_id, f"team {wish.team_id or 'none'}")
        return json_reply(shown_project(project))

    async def limits(self, request: Request) -> Reply:
        """Every limit of the organization, whoever holds it, as it stands."""
        await organization_of(self._use, request.principal)
        return await self._limits(request.principal.account_id)

    async def set_limit(self, request: Request) -> Reply:
        """Set a limit of the organization, a team, a project or a key, or take it back."""
        wish = await json_body(request, _limit)
        use, account_id = self._use, (await organization_of(self._use, request.principal)).account_id
        holder = await holder_of(use, account_id, kind=wish.holder, holder_id=wish.holder_id)
        period, unit, allowed = _checked_period(wish.period), *_checked_amount(wish)
        model = checked_models([wish.model])[0] if wish.model else ""
        if unit is None:
            for each in Unit:
                await use.limits.remove(account_id, Limit(holder, period, each, 0, model))
        else:
            await use.limits.put(account_id, Limit(holder, period, unit, allowed, model), use.clock.now())
        await use.recall(account_id)
        told = "none" if unit is None else f"{wish.usd} USD" if unit is Unit.MONEY else f"{allowed} tokens"
        details = f"{holder.kind}, {model or 'any model'}, per {period}: {told}"
        await self._note(request, "limits.set", holder.id, details)
        return await self._limits(account_id)

    async def rules(self, request: Request) -> Reply:
        """Every rule of the organization on models."""
        await organization_of(self._use, request.principal)
        return await self._rules(request.principal.account_id)

    async def set_rule(self, request: Request) -> Reply:
        """Say which models an organization, team, project or key may use, and how several are asked for one answer."""
        wish = await json_body(request, _rule)
        use, account_id = self._use, (await organization_of(self._use, request.principal)).account_id
        holder = await holder_of(use, account_id, kind=wish.holder, holder_id=wish.holder_id)
        rule = checked_rule(holder, wish)
        await use.model_rules.put(account_id, rule)
        await self._note(request, "models.rule", holder.id, told_of(rule))
        return await self._rules(account_id)

    async def policy(self, request: Request) -> Reply:
        """What limits and rules come to for a key, each with where it comes from."""
        key = await seen_key(self._use, request.principal, request.parameters["key_id"])
        return json_reply(await policy.policy_of(self._use, policy.of_key(key)))

    async def _limits(self, account_id: str) -> Reply:
        now = self._use.clock.now()
        found = [shown_standing(each, now) for each in await self._use.limits.standings(account_id, now)]
        return json_reply(wire.LimitList(found, len(found)))

    async def _rules(self, account_id: str) -> Reply:
        rules = sorted(await self._use.model_rules.rules(account_id), key=lambda rule: SETTABLE.index(rule.holder.kind))
        found = [policy.shown_rule(rule) for rule in rules]
        return json_reply(wire.ModelRuleList(found, len(found)))


def _checked_period(text: str) -> Period:
    try:
        return Period(text)
    except ValueError as unknown:
        message = f"The field `period` must be one of {', '.join(Period)}."
        raise InvalidRequest(message) from unknown


def _checked_amount(wish: wire.SetLimit) -> tuple[Unit | None, int]:
    """The unit and how much of it; no unit where the limit is taken back. Raises `InvalidRequest`."""
    if wish.usd is not None and wish.tokens is not None:
        raise InvalidRequest("A limit is either in `usd` or in `tokens`: send one of them, twice if you want both.")
    if wish.tokens is not None:
        return Unit.TOKENS, checked_tokens(wish.tokens, called="The field `tokens`")
    amount = asked_usd("The field `usd`", wish.usd)
    return (None, 0) if amount is None else (Unit.MONEY, amount)


def shown_team(team: Team) -> wire.TeamInfo:
    """A team for the wire."""
    return wire.TeamInfo(team_id=team.team_id, name=team.name, created_at=team.created_at.isoformat())


def shown_project(project: Project) -> wire.ProjectInfo:
    """A project for the wire."""
    return wire.ProjectInfo(
        project_id=project.project_id,
        name=project.name,
        team_id=project.team_id,
        created_at=project.created_at.isoformat(),
    )
