"""`/v1/operator/markups`: what operators add to the cost of models."""

from datetime import datetime

import msgspec

from monkey_coder_protocol import pricing as wire
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.features.pricing.markups import (
    MarkupWish,
    end_markup,
    list_markups,
    set_markup,
    state_of,
)
from monkey_coder_server.ports.markups import Markup
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.moments import read_moment
from monkey_coder_server.web.operating import actor_of, operator_act, operator_look
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ALL = "/v1/operator/markups"
_set = msgspec.json.Decoder(wire.SetMarkup)
_end = msgspec.json.Decoder(wire.EndMarkup)


class MarkupRoutes:
    """The endpoints. What changes prices asks for a proof for money, given just now."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about markups."""
        return (
            operator_look(_ALL, self.list, scope=OPERATOR_BILLING, action="markups.look", gives=wire.MarkupList),
            operator_act(
                _ALL,
                self.set,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="markup.set",
                takes=wire.SetMarkup,
                gives=wire.MarkupInfo,
            ),
            operator_act(
                f"{_ALL}/{{markup_id}}/end",
                self.end,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="markup.end",
                takes=wire.EndMarkup,
                gives=wire.EndedMarkup,
            ),
        )

    async def list(self, request: Request) -> Reply:
        """Every markup that was ever set, the newest first."""
        found, now = await list_markups(self._use, actor_of(request)), self._use.clock.now()
        return json_reply(wire.MarkupList([shown(each, now) for each in found], len(found)))

    async def set(self, request: Request) -> Reply:
        """Set a markup."""
        wish = await json_body(request, _set)
        made = await set_markup(
            self._use,
            actor_of(request),
            MarkupWish(
                basis_points=wish.basis_points,
                reason=wish.reason,
                plan=wish.plan,
                provider=wish.provider,
                model=wish.model,
                starts_at=read_moment("The field `starts_at`", wish.starts_at),
                ends_at=read_moment("The field `ends_at`", wish.ends_at),
            ),
        )
        return json_reply(shown(made, self._use.clock.now()))

    async def end(self, request: Request) -> Reply:
        """End a markup, now or later."""
        wish = await json_body(request, _end)
        ends_at = read_moment("The field `ends_at`", wish.ends_at)
        name = request.parameters["markup_id"]
        ended = await end_markup(self._use, actor_of(request), name, reason=wish.reason, ends_at=ends_at)
        return json_reply(wire.EndedMarkup(markup_id=ended.name, ends_at=_end_of(ended)))


def shown(markup: Markup, now: datetime) -> wire.MarkupInfo:
    """A markup on the wire."""
    rule = markup.rule
    return wire.MarkupInfo(
        markup_id=rule.name,
        basis_points=rule.basis_points,
        plan=rule.plan,
        provider=rule.provider,
        model=rule.model,
        starts_at=rule.starts_at.isoformat(),
        ends_at=_end_of(rule),
        state=state_of(rule, now),
        reason=markup.reason,
        set_by=markup.set_by,
        set_at=markup.set_at.isoformat(),
    )


def _end_of(rule: MarkupRule) -> str | None:
    return None if rule.ends_at is None else rule.ends_at.isoformat()
