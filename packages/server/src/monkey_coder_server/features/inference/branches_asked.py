"""Whether a request asks for several answers: in the native API by either historic field set, anywhere by a header.

What the body says goes before the header, and the header before what the API key was made with; last come its project,
its team and its organization.
"""

from dataclasses import replace

from monkey_coder_protocol.execute import COLLAPSE_STRATEGIES, ExecuteRequest, OrchestrationConfig
from monkey_coder_server.domain.collapse import DEFAULT_BRANCHES, DEFAULT_THRESHOLD, RULES, Collapse, Rule
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.model_rules import collapse_of
from monkey_coder_server.features.inference.bounds import LONGEST_NAME
from monkey_coder_server.web.principal import Principal

HEADER = "x-mk-collapse"
"""What it is called on the wire, in lower case."""
HEDGED = 2
"""Arms of a hedge: one, and a second when that is late."""


def read_collapse(sent: ExecuteRequest) -> Collapse | None:
    """What the first settings that name branches ask for; None where none do."""
    for config in (sent.quantum_config, sent.orchestration_config, sent.monkey1_config):
        if config is not None and _names_branches(config):
            return _collapse(config)
    return None


def said_collapse(said: Collapse | None, header: str | None) -> Collapse | None:
    """What the request says, in its body or else by the header. Raises `InvalidRequest` for an unknown rule."""
    asked = None if header is None else _read(header)
    return said or asked


def wanted_collapse(said: Collapse | None, header: str | None, principal: Principal) -> Collapse | None:
    """How several answers are asked for, None for a single one. Raises `InvalidRequest` for an unknown rule."""
    chosen = said_collapse(said, header)
    if chosen is None:
        key = principal.key
        by_default = collapse_of(principal.rules) if key is None or key.collapse is None else key.collapse
        chosen = None if by_default is None else Collapse(rule=RULES[by_default])
    if chosen is None or chosen.rule is Rule.SINGLE or chosen.branches < 2:
        return None
    return replace(chosen, branches=HEDGED) if chosen.rule is Rule.HEDGE else chosen


def _read(header: str) -> Collapse:
    if header not in COLLAPSE_STRATEGIES:
        message = (
            f"The header `X-MK-Collapse` must be one of {', '.join(COLLAPSE_STRATEGIES)}; "
            f"{header[:LONGEST_NAME]!r} was sent."
        )
        raise InvalidRequest(message)
    return Collapse(rule=RULES[header])


def _names_branches(config: OrchestrationConfig) -> bool:
    told = (config.parallel_futures, config.collapse_strategy, config.execution_branches)
    return any(value is not None for value in told)


def _collapse(config: OrchestrationConfig) -> Collapse:
    threshold = config.consensus_threshold
    return Collapse(
        rule=Rule.WEIGHTED if config.collapse_strategy is None else RULES[config.collapse_strategy],
        branches=DEFAULT_BRANCHES if config.execution_branches is None else config.execution_branches,
        parallel=config.parallel_futures is not False,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
        doubt=config.uncertainty_threshold,
    )
