"""Whether a native request asks for several agents: any historic field set says so, by the names of its fields."""

from monkey_coder_protocol.execute import ExecuteRequest, OrchestrationConfig
from monkey_coder_server.domain.teamwork.team import DEFAULT_AGENTS, DEFAULT_THRESHOLD, MOST_ROUNDS, Strategy, Team


def read_team(sent: ExecuteRequest) -> Team | None:
    """What the first settings that name agents ask for; None where none do, or for a single one without reflection."""
    for config in (sent.monkey1_config, sent.orchestration_config, sent.quantum_config):
        if config is not None and names_agents(config):
            team = _team(config)
            return None if team.alone else team
    return None


def names_agents(config: OrchestrationConfig) -> bool:
    """Whether these settings ask for agents."""
    named = config.agent_count is not None or config.coordination_strategy is not None
    return named or config.enable_reflection is True


def _team(config: OrchestrationConfig) -> Team:
    threshold, rounds, strategy = config.consensus_threshold, config.max_iterations, config.coordination_strategy
    return Team(
        agents=DEFAULT_AGENTS if config.agent_count is None else config.agent_count,
        strategy=Strategy.COLLABORATIVE if strategy is None else Strategy(strategy),
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
        rounds=(MOST_ROUNDS if rounds is None else rounds) if config.enable_reflection else 0,
    )
