"""`POST /v1/router/debug`: why this request would go where, with the numbers the router used."""

from functools import partial
from typing import Any

import msgspec

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.drift import LIMIT
from monkey_coder_server.domain.bandit.earned import FEWEST, NEEDED
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.personas import PERSONA_OF_TASK, PERSONAS, SLASH_COMMANDS
from monkey_coder_server.domain.routing_explained import explained
from monkey_coder_server.features.inference.admission import within_max_cost
from monkey_coder_server.features.inference.api import request_decoder
from monkey_coder_server.features.inference.desk import Desk, Order
from monkey_coder_server.features.inference.explain import (
    drawn_by,
    probabilities_of,
    rates_of,
    rounded,
    saving_of,
    sequence_of,
    staying_of,
)
from monkey_coder_server.features.inference.fitting import fit
from monkey_coder_server.features.inference.health import Health
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import arm_of
from monkey_coder_server.features.inference.plan import Decision, Plan
from monkey_coder_server.features.inference.planning import Planner
from monkey_coder_server.features.inference.render import stamp
from monkey_coder_server.features.inference.sequences import considered
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply


class DebugApi:
    """Plans without holding or calling anything. `attempts` is how many routes one request can come to use."""

    def __init__(  # noqa: PLR0913 - its collaborators, named
        self, desk: Desk, planner: Planner, learning: Learning, health: Health, clock: Clock, *, attempts: int
    ) -> None:
        self._desk = desk
        self._planner = planner
        self._exploration = learning.exploration
        self._beliefs = learning.beliefs
        self._trust = learning.trust
        self._texts = learning.texts
        self._sessions = learning.sessions
        self._attempts = attempts
        self._health = health
        self._clock = clock

    async def debug(self, request: Request) -> Reply:
        """The decision in the shape older clients read; `confidence` is the leader's assumed or learned success.

        The decision told is what is played as a rule; `metadata.collapse` says whether this request would be drawn.
        """
        sent = await json_body(request, request_decoder)
        order = await self._desk.take(request, sent, stream=False)
        order.job.end_ticket()
        plan = self._planner.plan(msgspec.structs.replace(order.job, explores=False))
        body = {
            "debug_info": self._info(order, plan, await self._sequence(order, plan)),
            "request_summary": {
                "task_type": sent.task_type,
                "prompt_length": len(sent.prompt),
                "has_files": bool(sent.files),
                "file_count": len(sent.files or ()),
            },
            "personas_available": {
                "personas": list(PERSONAS),
                "slash_commands": list(SLASH_COMMANDS),
                "persona_mappings": dict(PERSONA_OF_TASK),
            },
            "timestamp": stamp(self._clock.now()),
        }
        return json_reply(body, headers=order.headers)

    def _info(self, order: Order, plan: Plan, sequence: dict[str, Any] | None) -> dict[str, Any]:
        decision = plan.decision
        leader = decision.ranking.candidates[decision.usual]
        route = fit(plan, plan.order[0], order.job, None)
        success_from = "learned from outcomes" if leader.expected.learned else "a stated prior"
        latency_from = "measured" if leader.expected.measured else "a stated prior"
        return {
            "routing_decision": {
                "provider": leader.card.provider,
                "model": leader.card.model,
                "persona": order.task.choice.persona.name,
                "confidence": round(leader.expected.success, 4),
                "reasoning": (
                    f"{_rank(decision)} {leader.terms.utility:.4f} of {len(plan.order)} candidates: quality "
                    f"{leader.terms.quality:.4f}, cost {leader.terms.cost:.4f}, latency {leader.terms.latency:.4f}; "
                    f"success is {success_from}, latency {latency_from}."
                ),
            },
            "scoring_breakdown": {
                "quality_term": leader.terms.quality,
                "cost_term": leader.terms.cost,
                "latency_term": leader.terms.latency,
                "utility": leader.terms.utility,
                "context_score": round(1 - plan.input_expected / leader.card.context_window, 4),
            },
            "metadata": {
                "persona_decided_by": order.task.choice.decided_by,
                "requested_model": decision.selection.asked,
                "input_tokens_expected": plan.input_expected,
                "input_tokens_at_most": plan.input_bound,
                "max_tokens": route.max_tokens,
                "hold_usd": usd(route.bound),
                "preferred_providers_not_available": list(decision.dropped),
                "work": plan.work._asdict(),
                "collapse": self._collapse(order, plan),
                "staying": staying_of(decision, self._sessions.warm(order.job, decision, plan.input_expected)),
                "sequence": sequence,
                "verification": self._verification(order, plan),
                **explained(decision.ranking),
                "chosen": leader.name,
                "text": self._text(order, plan),
                "health": self._pulses(plan),
                "change": self._changes(order, plan),
            },
            "available_models": [candidate.name for candidate in plan.order],
            "routing_history_count": self._health.calls,
        }

    def _collapse(self, order: Order, plan: Plan) -> dict[str, Any]:
        """What this very request would be played, with which probabilities, and what that saves."""
        decision = plan.decision
        draw = self._exploration.draw(order.job, decision)
        said = {**drawn_by(decision, draw), **saving_of(decision, decision.usual if draw is None else draw.place)}
        shares = decision.probabilities if draw is None else draw.probabilities
        return {**said, "probabilities": probabilities_of(decision, shares)}

    def _text(self, order: Order, plan: Plan) -> dict[str, Any]:
        """What the text says of the candidates, whether that is heard, and what it has earned with this account."""
        decision, standing = plan.decision, self._texts.standing(order.job.principal.account_id)
        moves = self._texts.shifts(order.job, decision.ranking, plan.effort, plan.input_expected)
        return {
            "heard": bool(decision.told),
            "gate": "open" if standing.is_open else "closed",
            "gain_nats": round(standing.gain, 4),
            "needed_nats": round(NEEDED, 4),
            "outcomes": round(standing.outcomes, 2),
            "needed_outcomes": FEWEST,
            "moves": rounded(moves),
        }

    def _changes(self, order: Order, plan: Plan) -> dict[str, Any]:
        """How far outcomes fall short of what is believed of a candidate, and how often its belief was given up."""
        account_id, found = order.job.principal.account_id, {}
        for candidate in plan.order:
            arm = arm_of(candidate.name, plan.effort)
            own, everybody = self._beliefs.watched(account_id, arm)
            given_up = self._beliefs.eras(plan.work, account_id, arm)
            if own or everybody or given_up:
                found[candidate.name] = {
                    "shortfall": round(own, 4),
                    "shortfall_of_all_accounts": round(everybody, 4),
                    "limit": LIMIT,
                    "given_up": given_up,
                }
        return found

    async def _sequence(self, order: Order, plan: Plan) -> dict[str, Any] | None:
        """The cascade or race this request would run, or why one model; None where it asks for none."""
        collapse = order.job.collapse
        if plan.rates is None or collapse is None:
            return None
        made = (await considered(plan, partial(within_max_cost, plan, order.job, self._attempts))).sequencing
        return None if made is None else sequence_of(collapse.rule, made, order.job.rounds)

    def _verification(self, order: Order, plan: Plan) -> dict[str, Any]:
        """How often each check passes right answers, and wrong ones, at this work of the caller's account."""
        work = plan.work
        context = Context.of(work.kind, work.language, order.job.principal.account_id)
        return {
            name: {
                **rates_of(standing.rates),
                "right_answers_seen": round(standing.right, 2),
                "wrong_answers_seen": round(standing.wrong, 2),
                "stated": standing.source,
            }
            for name, standing in self._trust.standings(context).items()
        }

    def _pulses(self, plan: Plan) -> dict[str, Any]:
        """What was measured of the candidates that were called before."""
        now = self._clock.monotonic()
        pulses = {candidate.name: self._health.pulse(candidate.name, now) for candidate in plan.order}
        return {
            name: {
                "state": pulse.state,
                "first_byte_ms": pulse.first_byte_ms,
                "tokens_per_second": pulse.tokens_per_second,
                "served": pulse.served,
                "failed": pulse.failed,
                "error_rate": round(pulse.error_rate, 4),
            }
            for name, pulse in pulses.items()
            if pulse.known
        }


def _rank(decision: Decision) -> str:
    """How the model that is played as a rule was found."""
    return "Highest utility of those proven by outcomes" if decision.usual else "Highest utility"
