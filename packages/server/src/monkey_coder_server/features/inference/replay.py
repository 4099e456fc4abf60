"""An idempotent repeat: the first result again, whole or as a stream, charged once."""

from typing import Any

import msgspec

from monkey_coder_protocol.execute import ExecuteResponse
from monkey_coder_server.ports.ledger import Replay
from monkey_coder_server.web.respond import Headers

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


def _metadata(replay: Replay) -> dict[str, Any]:
    result = _decoder.decode(replay.body).result
    return {} if result is None else result.metadata
