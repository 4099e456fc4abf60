"""A whole (not streamed) answer."""

from collections.abc import Sequence

from monkey_coder_server.dialects.openai_responses.assembly import Assembly
from monkey_coder_server.dialects.openai_responses.ending import failure_of
from monkey_coder_server.dialects.wire import as_text, excerpt, parse_json
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Event

_FINISHED = frozenset({None, "completed", "incomplete"})


def decode_answer(body: bytes, provider: str) -> Sequence[Event]:
    """Read a body of status 200; ends in `Finished` or `Failed`."""
    out: list[Event] = []
    assembly = Assembly(provider)
    response = parse_json(body)
    if not isinstance(response, dict):
        assembly.fail(FailureKind.MALFORMED, f"The answer is not a JSON object: {excerpt(body)[:200]!r}", out)
    elif response.get("error"):
        assembly.fail_with(failure_of(provider, response), out)
    elif not isinstance(response.get("output"), list):
        assembly.fail(FailureKind.MALFORMED, "The answer holds no output.", out)
    elif as_text(response.get("status")) not in _FINISHED:
        assembly.fail(FailureKind.MALFORMED, f"The answer is not finished but {response['status']!r}.", out)
    else:
        assembly.finish(response, out)
    return out
