"""`POST /v1/quote`: the price before the work."""

from collections.abc import Sequence
from functools import partial
from math import ceil

import msgspec

from monkey_coder_protocol.billing import Quote, QuoteRoute
from monkey_coder_server.domain.collapse import expected_cost
from monkey_coder_server.domain.money import NANO_PER_USD, parse_usd, usd
from monkey_coder_server.features.inference.admission import within_max_cost
from monkey_coder_server.features.inference.api import request_decoder
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.foresight import Asked, Foresight
from monkey_coder_server.features.inference.planning import Planner
from monkey_coder_server.features.inference.quotes import Promise, QuoteBook
from monkey_coder_server.features.inference.render import stamp
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.sequences import considered
from monkey_coder_server.features.inference.staffing import NOTES, Seat
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

OFFERED = 10
"""Routes a quote lists and promises prices for."""


class QuoteApi:
    """Nothing is held and nothing is called: a quote is the plan with its prices."""

    def __init__(self, desk: Desk, planner: Planner, quotes: QuoteBook, foresight: Foresight, *, attempts: int) -> None:
        self._desk = desk
        self._planner = planner
        self._quotes = quotes
        self._foresight = foresight
        self._attempts = attempts

    async def quote(self, request: Request) -> Reply:
        """Expected and greatest charge of each route, best first."""
        sent = await json_body(request, request_decoder)
        order = await self._desk.take(request, sent, stream=False)
        order.job.end_ticket()
        job = msgspec.structs.replace(order.job, explores=False)
        plan = self._planner.plan(job)
        chosen = await considered(plan, partial(within_max_cost, plan, job, OFFERED))
        routes = chosen.routes
        held = chosen.bound if chosen.several else max(route.bound for route in routes[: self._attempts])
        promised = await self._quotes.promise(
            job.principal.account_id, order.task.fingerprint, _promise(routes, maximum=held)
        )
        asked = Asked.of(job, plan)
        seats = () if chosen.crew is None else chosen.crew.seats
        offers = [self._turn(asked, seat) for seat in seats] or [self._offer(asked, route) for route in routes]
        expected = parse_usd(offers[0].expected_usd)
        if seats:
            turns = zip(seats, offers, strict=True)
            expected = ceil(sum(seat.turn.likely * parse_usd(offer.expected_usd) for seat, offer in turns))
        elif chosen.several and chosen.sequencing is not None:
            expected = ceil(chosen.sequencing.foreseen.cost * NANO_PER_USD)
        elif chosen.collapse is not None:
            successes = [plan.success(route.name) for route in routes]
            expected = expected_cost(chosen.collapse, [parse_usd(offer.expected_usd) for offer in offers], successes)
        body = Quote(
            quote_id=promised.quote_id,
            expires_at=stamp(promised.expires_at),
            price_book=routes[0].tariff.book,
            expected_usd=usd(min(expected, held)),
            maximum_usd=usd(held),
            route=routes[0].name,
            routes=offers,
        )
        return json_reply(body, headers=order.headers)

    def _turn(self, asked: Asked, seat: Seat) -> QuoteRoute:
        """An agent's turn: its prompt holds what others are expected to have written before."""
        answer = self._foresight.expect(asked, seat.route.card, most_output=seat.route.max_tokens).usage
        written = answer.output - answer.reasoning
        told = seat.turn.answers * min(written, seat.room.answer) + seat.turn.notes * min(
            written // NOTES, seat.room.note
        )
        return self._offer(asked, seat.route, told=told)

    def _offer(self, asked: Asked, route: Route, *, told: int = 0) -> QuoteRoute:
        expected = self._foresight.expect(asked, route.card, most_output=route.max_tokens)
        usage = expected.usage
        usage = usage._replace(uncached_input=usage.uncached_input + told)
        return QuoteRoute(
            provider=route.provider.name,
            model=route.card.model,
            expected_usd=usd(min(route.tariff.price(usage), route.bound)),
            maximum_usd=usd(route.bound),
            input_tokens=usage.input,
            expected_cached_tokens=usage.cache_read,
            expected_output_tokens=usage.output,
            maximum_output_tokens=route.max_tokens,
            price_row=route.tariff.row.name,
            learned_from=expected.seen,
        )


def _promise(routes: Sequence[Route], *, maximum: int) -> Promise:
    """What is promised: each route's tariff and bound, and the most of those that one request can come to use."""
    names = {route.name for route in routes}
    return Promise(
        tariffs={route.name: route.tariff for route in routes},
        bounds={name: max(route.bound for route in routes if route.name == name) for name in names},
        maximum=maximum,
    )
