"""`POST /v1/quote`: the price before the work."""

from collections.abc import Sequence

import msgspec

from monkey_coder_protocol.billing import Quote, QuoteRoute
from monkey_coder_server.domain.collapse import expected_cost
from monkey_coder_server.domain.money import parse_usd, usd
from monkey_coder_server.features.inference.admission import within_max_cost
from monkey_coder_server.features.inference.api import request_decoder
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.foresight import Asked, Foresight
from monkey_coder_server.features.inference.planning import Planner
from monkey_coder_server.features.inference.quotes import Promise, QuoteBook
from monkey_coder_server.features.inference.render import stamp
from monkey_coder_server.features.inference.route import Route
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
        job = msgspec.structs.replace(order.job, explores=False)
        plan = self._planner.plan(job)
        chosen = within_max_cost(plan, job, OFFERED)
        routes = chosen.routes
        held = chosen.bound if chosen.several else max(route.bound for route in routes[: self._attempts])
        promised = await self._quotes.promise(
            job.principal.account_id, order.task.fingerprint, _promise(routes, maximum=held)
        )
        asked = Asked.of(job, plan)
        offers = [self._offer(asked, route) for route in routes]
        expected = parse_usd(offers[0].expected_usd)
        if chosen.several and job.collapse is not None:
            successes = [plan.success(route.name) for route in routes]
            expected = expected_cost(job.collapse, [parse_usd(offer.expected_usd) for offer in offers], successes)
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

    def _offer(self, asked: Asked, route: Route) -> QuoteRoute:
        expected = self._foresight.expect(asked, route.card, most_output=route.max_tokens)
        usage = expected.usage
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
    return Promise(
        tariffs={route.name: route.tariff for route in routes},
        bounds={route.name: route.bound for route in routes},
        maximum=maximum,
    )
