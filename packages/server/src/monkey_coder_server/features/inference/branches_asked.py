"""Whether a native request asks for several answers: either historic field set says so, by the names of its fields."""

from monkey_coder_protocol.execute import ExecuteRequest, OrchestrationConfig
from monkey_coder_server.domain.collapse import DEFAULT_BRANCHES, DEFAULT_THRESHOLD, RULES, Collapse, Rule


def read_collapse(sent: ExecuteRequest) -> Collapse | None:
    """What the first settings that name branches ask for; None where none do, or for a single branch."""
    for config in (sent.quantum_config, sent.orchestration_config, sent.monkey1_config):
        if config is not None and _names_branches(config):
            collapse = _collapse(config)
            return collapse if collapse.branches > 1 else None
    return None


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
