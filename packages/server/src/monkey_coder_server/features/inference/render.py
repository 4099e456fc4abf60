"""The native answer: exactly twelve keys, every figure measured."""

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec

from monkey_coder_protocol.execute import Artifact, ExecuteResponse, ExecutionResult, UsageMetrics
from monkey_coder_server.domain.artifacts import Artifacts, parse
from monkey_coder_server.domain.collapse import Rule
from monkey_coder_server.domain.money import NANO_PER_USD, usd
from monkey_coder_server.domain.teamwork.saying import concern_of
from monkey_coder_server.features.inference.arm import FAILED
from monkey_coder_server.features.inference.explain import choice_of, collapse_of, sequence_of
from monkey_coder_server.features.inference.job import Collapsed, Hedged, Played, Served, Worked
from monkey_coder_server.features.inference.task import Task
from monkey_coder_server.features.inference.tools import told_calls
from monkey_coder_server.ports.ledger import AttemptRecord, Charge

NO_FILES = Artifacts()
ONE_BRANCH = "One model answered: neither several agents nor several branches were asked for."
ONE_AGENT = "One model answered: the turns of several agents could not be paid together, or did not fit its window."
AGENTS_FIRST = "Agents and branches were both asked for; agents worked, no branches were run."
ONE_ENOUGH = "One model answered: the leading one was believed in enough, or several could not be paid together."
NOT_LATE = "One model answered: it was not late, or no second could be asked, held and paid for."
CHECKED_BY_CALLER = "One model of a cascade answered: its caller checks the answer and asks again when that fails."
_encode = msgspec.json.Encoder().encode


def execute_body(task: Task, task_id: str, served: Served, charge: Charge) -> bytes:
    """The body of `POST /v1/execute`, and what an idempotent replay of it returns."""
    job, total, answer = served.job, served.total, served.answer
    text = "".join(answer.text) or "".join(answer.refusal)
    files = parse(text, task.wishes.task_type) if "```" in text or "~~~" in text else NO_FILES
    seconds = served.latency_ms / 1000
    return _encode(
        ExecuteResponse(
            execution_id=job.request_id,
            task_id=task_id,
            status="completed",
            result=ExecutionResult(
                result=text,
                metadata=_metadata(served, charge, files),
                artifacts=_artifacts(files),
                quantum_collapse_info={**collapse_of(served, charge.charged), **_sequence(served)},
            ),
            created_at=stamp(job.at),
            completed_at=stamp(served.finished_at),
            usage=UsageMetrics(
                tokens_used=total.total,
                tokens_input=total.input,
                tokens_output=total.output,
                provider_breakdown=_by_provider(served),
                cost_estimate=charge.charged / NANO_PER_USD,
                execution_time=seconds,
            ),
            execution_time=seconds,
            persona_routing={
                "persona": task.choice.persona.name,
                "decided_by": task.choice.decided_by,
                "task_type": task.wishes.task_type,
                "temperature": None if served.route.card.fixed_temperature else job.request.sampling.temperature,
                **choice_of(served.plan, served.route),
            },
            monkey1_orchestration=_teamwork(task, served.worked),
            orchestration_execution=_orchestration(task, served),
        )
    )


def stamp(moment: datetime) -> str:
    """An ISO 8601 moment in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _artifacts(files: Artifacts) -> list[Artifact]:
    return [
        Artifact(name=file.name, type="file", filename=file.path, content=file.content, language=file.language)
        for file in files.files
    ]


def _metadata(served: Served, charge: Charge, files: Artifacts) -> dict[str, Any]:
    usage, route, answer = served.usage, served.route, served.answer
    metadata: dict[str, Any] = {
        "request_id": served.job.request_id,
        "provider": route.provider.name,
        "model": route.card.model,
        "cost_usd": usd(charge.charged),
        "receipt_id": charge.receipt_id,
        "balance_usd": usd(charge.balance),
        "held_usd": usd(served.held),
        "price_book": route.tariff.book,
        "price_row": route.tariff.row.name,
        "finish_reason": answer.finish,
        "max_tokens": route.max_tokens,
        "attempts": [_attempt(attempt) for attempt in served.attempts],
        "tokens": {
            "input": usage.input,
            "cached": usage.cache_read,
            "cache_write": usage.cache_write_5m + usage.cache_write_1h,
            "output": usage.output,
            "reasoning": usage.reasoning,
            "estimated": usage.estimated,
        },
        "first_byte_ms": served.first_byte_ms,
    }
    if answer.calls:
        metadata["tool_calls"] = told_calls(answer.calls)
    if answer.refusal:
        metadata["refused"] = True
    if files.refused:
        metadata["refused_files"] = [{"path": file.path, "reason": file.reason} for file in files.refused]
    if files.unfinished is not None:
        metadata["unfinished_file"] = files.unfinished
    if answer.citations:
        metadata["citations"] = [{"url": one.url, "title": one.title} for one in answer.citations]
    return metadata


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "provider": attempt.provider,
        "model": attempt.model,
        "outcome": attempt.outcome,
        "first_byte_ms": attempt.first_byte_ms,
        "total_ms": attempt.total_ms,
    }


def _orchestration(task: Task, served: Served) -> dict[str, Any]:
    """What was run, beside what was asked for."""
    ran: dict[str, Any] = {"mode": "single", "branches_run": 1}
    if task.team is not None:
        ran = {"mode": "single" if served.worked is None else "agents", "branches_run": 1}
        if task.branches_left_out:
            ran["note"] = AGENTS_FIRST
    elif served.collapsed is not None:
        ran = _branches(served.collapsed)
    elif (task.requested or served.job.rounds is not None) and served.hedged is None:
        ran["note"] = ONE_BRANCH if served.job.collapse is None else _one_enough(served)
    if served.hedged is not None:
        ran["hedge"] = _hedge(served.hedged)
    if task.requested:
        ran["requested"] = dict(task.requested)
    return ran


def _teamwork(task: Task, worked: Worked | None) -> dict[str, Any]:
    """What the agents did, the turn whose answer was kept first, and what the caller pays for each; {} for none."""
    asked = task.team
    if asked is None:
        return {}
    if worked is None:
        return {
            "strategy": asked.strategy,
            "agents_asked": asked.agents,
            "agents": 1,
            "turns_run": 1,
            "note": ONE_AGENT,
        }
    team = worked.team
    return {
        "strategy": team.strategy,
        "agents_asked": asked.agents,
        "agents": team.agents,
        "consensus_threshold": team.threshold,
        "agreement": None if worked.agreement is None else round(worked.agreement, 4),
        "consensus_reached": worked.agreed,
        "reflections_asked": asked.rounds,
        "reflections_paid_for": team.rounds,
        "reflections_run": worked.rounds,
        "approved": worked.approved,
        "ended_by": worked.ended_by,
        "turns_run": len(worked.played),
        "turns_failed": sum(each.outcome == FAILED for each in worked.played),
        "turns": [_turn(each, kept=place == 0) for place, each in enumerate(worked.played)],
    }


def _turn(played: Played, *, kept: bool) -> dict[str, Any]:
    turn = played.turn
    part = {} if turn is None else {"agent": turn.agent, "task": turn.act, "concern": concern_of(turn.agent)}
    return {**part, **_told(played, kept=kept)}


def _one_enough(served: Served) -> str:
    made, asked = served.sequencing, served.job.collapse
    if asked is not None and asked.rule is Rule.HEDGE:
        return NOT_LATE
    if made is not None and made.start is not None:
        return CHECKED_BY_CALLER
    return ONE_ENOUGH if made is None else f"One model answered: {made.reason}."


def _sequence(served: Served) -> dict[str, Any]:
    """What the router made of a request that left it to it how many models are asked."""
    made, asked = served.sequencing, served.job.collapse
    return {} if made is None or asked is None else {"sequence": sequence_of(asked.rule, made, served.job.rounds)}


def _hedge(hedged: Hedged) -> dict[str, Any]:
    """The second arm that was started, and who pays for the one that is not kept; a failed one costs nobody."""
    payer = "caller" if hedged.asked else "house"
    return {
        "asked": hedged.asked,
        "kept": "second" if hedged.won else "first",
        "other": hedged.other.name,
        "other_paid_by": payer if hedged.beaten else None,
    }


def _branches(collapsed: Collapsed) -> dict[str, Any]:
    """Every arm that was asked, the kept one first, and what the caller pays for each."""
    kept = collapsed.kept
    return {
        "mode": "parallel" if collapsed.collapse.at_once > 1 else "sequential",
        "rule": collapsed.collapse.rule,
        "branches_run": len(collapsed.played),
        "rule_met": kept.met,
        "agreement": None if kept.agreement is None else round(kept.agreement, 4),
        "branches": [_told(each, kept=place == 0) for place, each in enumerate(collapsed.played)],
    }


def _told(played: Played, *, kept: bool) -> dict[str, Any]:
    verdict = played.verdict
    return {
        "provider": played.route.provider.name,
        "model": played.route.card.model,
        "outcome": played.outcome,
        "passed": None if verdict is None else verdict.passed,
        "failed_checks": [] if verdict is None else [one.check for one in verdict.failures],
        "kept": kept,
        "cost_usd": usd(played.price),
        "tokens": 0 if played.usage is None else played.usage.total,
    }


def _by_provider(served: Served) -> dict[str, int]:
    """The tokens of each provider's answers."""
    if not served.played:
        return {served.route.provider.name: served.usage.total}
    tokens: Counter[str] = Counter()
    for each in served.played:
        if each.usage is not None:
            tokens[each.route.provider.name] += each.usage.total
    return dict(tokens)
