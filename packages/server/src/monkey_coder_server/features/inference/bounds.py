"""What the native task API accepts, field by field; each refusal is one sentence that names field and bound."""

from collections.abc import Sequence

from monkey_coder_protocol.execute import (
    COLLAPSE_STRATEGIES,
    TASK_TYPES,
    ExecuteRequest,
    OrchestrationConfig,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import asked_usd
from monkey_coder_server.domain.teamwork.team import MOST_AGENTS, MOST_ROUNDS, Strategy

DEFAULT_SECONDS = 300.0
LONGEST_SECONDS = 3600.0
LONGEST_NAME = 200
MOST_FILES = 1_000
MOST_TOKENS = 10_000_000
BRANCHES = (1, 10)
AGENTS = (1, MOST_AGENTS)
ITERATIONS = (1, MOST_ROUNDS)
SHOWN = 1e15
"""Beyond this a number is not shown: JSON admits integers no float can hold."""
COST_HEADER = "x-mk-max-cost"
"""What the most a request may cost is called on the wire, in lower case."""


def check(request: ExecuteRequest) -> None:
    """Raise `InvalidRequest` unless every field is within its bounds."""
    one_of("task_type", request.task_type, TASK_TYPES)
    if not request.prompt.strip():
        raise InvalidRequest("The field `prompt` is empty; say what is to be done.")
    for field in ("task_id", "model", "quote_id"):
        name(field, getattr(request, field))
    if request.files is not None and len(request.files) > MOST_FILES:
        message = f"The field `files` holds {len(request.files)} files; at most {MOST_FILES} are accepted."
        raise InvalidRequest(message)
    for field in ("monkey1_config", "orchestration_config", "quantum_config"):
        _check_orchestration(field, getattr(request, field))


def seconds(request: ExecuteRequest) -> float:
    """The request's deadline in seconds (1 to 3600, 300 when not given)."""
    wanted = None if request.context is None else request.context.timeout
    number("context.timeout", wanted, 1, LONGEST_SECONDS)
    return DEFAULT_SECONDS if wanted is None else float(wanted)


def temperature(request: ExecuteRequest) -> float | None:
    """The temperature asked for (0 to 2); None leaves it to the persona."""
    wanted = None if request.context is None else request.context.temperature
    number("context.temperature", wanted, 0.0, 2.0)
    return wanted


def max_tokens(request: ExecuteRequest) -> int | None:
    """The token limit asked for (at least 1); None leaves it to the gateway."""
    wanted = None if request.context is None else request.context.max_tokens
    number("context.max_tokens", wanted, 1, MOST_TOKENS)
    return wanted


def max_cost(request: ExecuteRequest) -> int | None:
    """The most the request may cost, in nano-dollars."""
    return asked_usd("The field `max_cost`", request.max_cost)


def header_max_cost(header: str | None) -> int | None:
    """The same from this header, which every request that costs something may carry."""
    return asked_usd("The header `X-MK-Max-Cost`", header)


def number(field: str, value: float | None, lowest: float, highest: float) -> None:
    """Refuse a number outside its bounds; None passes."""
    if value is not None and not lowest <= value <= highest:
        given = f"{value:.12g}" if -SHOWN <= value <= SHOWN else "a number far outside"
        message = f"The field `{field}` must be between {lowest:.12g} and {highest:.12g}, but {given} was sent."
        raise InvalidRequest(message)


def one_of(field: str, value: str, accepted: Sequence[str]) -> None:
    """Refuse a word that is not in the list."""
    if value not in accepted:
        message = f"The field `{field}` must be one of {', '.join(accepted)}; {value[:LONGEST_NAME]!r} was sent."
        raise InvalidRequest(message)


def name(field: str, value: str | None) -> None:
    """Refuse an identifier that is empty, too long or unprintable; None passes."""
    if value is None:
        return
    if not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        message = f"The field `{field}` must be 1 to {LONGEST_NAME} printable characters."
        raise InvalidRequest(message)


def _check_orchestration(field: str, config: OrchestrationConfig | None) -> None:
    if config is None:
        return
    number(f"{field}.agent_count", config.agent_count, *AGENTS)
    number(f"{field}.max_iterations", config.max_iterations, *ITERATIONS)
    number(f"{field}.execution_branches", config.execution_branches, *BRANCHES)
    for share in ("consensus_threshold", "quantum_coherence", "uncertainty_threshold"):
        number(f"{field}.{share}", getattr(config, share), 0.0, 1.0)
    if config.coordination_strategy is not None:
        one_of(f"{field}.coordination_strategy", config.coordination_strategy, tuple(Strategy))
    if config.collapse_strategy is not None:
        one_of(f"{field}.collapse_strategy", config.collapse_strategy, COLLAPSE_STRATEGIES)
