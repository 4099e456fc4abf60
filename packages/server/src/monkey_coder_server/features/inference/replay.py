"""The first result again: an idempotent repeat of it, or a kept answer as another request's own."""

from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from monkey_coder_protocol.execute import ExecuteResponse
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.inference.cached_answer import Recalled
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.render import stamp
from monkey_coder_server.ports.ledger import Replay
from monkey_coder_server.web.respond import Headers

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(ExecuteResponse)


def replay_headers(replay: Replay) -> Headers:
    """The headers of the first answer, read from its stored body; `idempotent-replayed` says that it is one."""
    metadata = _metadata(replay)
    named = (
        (b"x-monkey-provider", metadata.get("provider")),
        (b"x-monkey-model", metadata.get("model")),
        (b"x-monkey-cost", metadata.get("cost_usd")),
        (b"x-monkey-receipt", metadata.get("receipt_id")),
    )
    headers = [(name, value.encode()) for name, value in named if isinstance(value, str)]
    return [*headers, (b"x-monkey-cache", b"bypass"), (b"idempotent-replayed", b"true")]


def start_of(replay: Replay) -> dict[str, str]:
    """What a stream of it begins with: the ids of the request that was served."""
    first = _decoder.decode(replay.body)
    return {"execution_id": first.execution_id, "task_id": first.task_id}


def text_of(replay: Replay) -> str:
    """The answer's text."""
    result = _decoder.decode(replay.body).result
    return "" if result is None else result.result


def retold_body(recalled: Recalled, job: Job, task_id: str) -> bytes:
    """The body of a kept answer, whose ids, times and costs are those of the request it is given to."""
    answer, charge = recalled.answer, recalled.charge
    first = _decoder.decode(answer.body)
    seconds = recalled.latency_ms / 1000
    metadata = {
        **({} if first.result is None else first.result.metadata),
        "request_id": job.request_id,
        "cost_usd": usd(charge.charged),
        "receipt_id": charge.receipt_id,
        "balance_usd": usd(charge.balance),
        "held_usd": usd(0),
        "attempts": [],
        "first_byte_ms": None,
        "cache": _cache_of(recalled),
    }
    return _encode(
        replace(
            first,
            execution_id=job.request_id,
            task_id=task_id,
            result=None if first.result is None else replace(first.result, metadata=metadata),
            created_at=stamp(job.at),
            completed_at=stamp(job.at + timedelta(milliseconds=recalled.latency_ms)),
            usage=None if first.usage is None else replace(first.usage, cost_estimate=0, execution_time=seconds),
            execution_time=seconds,
        )
    )


def _cache_of(recalled: Recalled) -> dict[str, Any]:
    told = {"status": recalled.status, "age_seconds": recalled.age, "saved_usd": usd(recalled.answer.price)}
    return told if recalled.similarity is None else {**told, "similarity": round(recalled.similarity, 3)}


def _metadata(replay: Replay) -> dict[str, Any]:
    result = _decoder.decode(replay.body).result
    return {} if result is None else result.metadata
