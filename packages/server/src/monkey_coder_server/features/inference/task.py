"""From the native request to a task: everything checked, defaults applied, the caller's words kept."""

import hashlib
from typing import Any

import msgspec

from monkey_coder_protocol.execute import ExecuteRequest, ExecutionContext, OrchestrationConfig, PersonaConfig
from monkey_coder_server.domain import personas
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.collapse import Collapse
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.personas import PersonaChoice
from monkey_coder_server.domain.teamwork.team import Team
from monkey_coder_server.features.inference import bounds
from monkey_coder_server.features.inference.agents_asked import read_team
from monkey_coder_server.features.inference.branches_asked import read_collapse
from monkey_coder_server.features.inference.plan import Wishes
from monkey_coder_server.features.inference.prompt import model_request
from monkey_coder_server.features.inference.rounds_asked import RoundsAsked, read_rounds
from monkey_coder_server.features.inference.tools import read_choice, read_tools
from monkey_coder_server.features.inference.weights_asked import weights_in
from monkey_coder_server.ports.record import Record

ORCHESTRATION_FIELDS = ("monkey1_config", "orchestration_config", "quantum_config")
_NO_CONTEXT = ExecutionContext()
_NO_PERSONA = PersonaConfig()
_sorted = msgspec.json.Encoder(order="sorted")


class Task(Record, frozen=True):
    """`requested` are the orchestration settings the caller sent, without nulls."""

    task_id: str | None
    choice: PersonaChoice
    request: ModelRequest
    wishes: Wishes
    seconds: float
    max_tokens: int | None
    max_cost: int | None
    quote_id: str | None
    sent: ExecuteRequest
    requested: dict[str, Any]
    collapse: Collapse | None = None
    team: Team | None = None
    rounds: RoundsAsked | None = None
    branches_left_out: bool = False
    """Branches were asked for beside agents, which come first."""

    @property
    def fingerprint(self) -> bytes:
        """What is asked, for comparing it; reckoned when somebody compares."""
        return fingerprint(self.sent)


def read_task(sent: ExecuteRequest) -> Task:
    """Check and translate. Raises `InvalidRequest`."""
    bounds.check(sent)
    persona_config = sent.persona_config or _NO_PERSONA
    command, prompt = personas.leading_command(sent.prompt.strip())
    commands = [*([command] if command else []), *(persona_config.slash_commands or [])]
    tools = read_tools(sent)
    team, branches = read_team(sent), read_collapse(sent)
    choice = personas.choose(persona_config.persona, slash_commands=commands, task_type=sent.task_type)
    wishes = Wishes(
        model=sent.model,
        providers=tuple(sent.preferred_providers or ()),
        models=sent.model_preferences or {},
        task_type=sent.task_type,
        persona=choice.persona,
        required=_required(tools=bool(tools), several=team is not None),
        weights=weights_in(sent),
    )
    max_tokens = bounds.max_tokens(sent)
    request = model_request(
        prompt=prompt,
        task_type=sent.task_type,
        persona=choice.persona,
        files=sent.files or (),
        custom_instructions=persona_config.custom_instructions,
        temperature=bounds.temperature(sent),
        max_tokens=max_tokens,
        tools=tools,
        tool_choice=read_choice(sent, tools),
    )
    return Task(
        task_id=sent.task_id,
        choice=choice,
        request=request,
        wishes=wishes,
        seconds=bounds.seconds(sent),
        max_tokens=max_tokens,
        max_cost=bounds.max_cost(sent),
        quote_id=sent.quote_id,
        sent=sent,
        requested=_requested(sent),
        collapse=branches,
        team=team,
        rounds=read_rounds(sent),
        branches_left_out=team is not None and branches is not None,
    )


def _required(*, tools: bool, several: bool) -> frozenset[Capability]:
    """What the model must be able to do. Several answers are streamed from providers, so that they can be stopped."""
    wanted = {Capability.TOOLS: tools, Capability.STREAMING: several}
    return frozenset(capability for capability, is_wanted in wanted.items() if is_wanted)


def fingerprint(sent: ExecuteRequest) -> bytes:
    """SHA-256 of what is asked. Who asks, under which id and by which quote is left out: a retry may change those."""
    context = sent.context or _NO_CONTEXT
    asked: list[object] = [
        sent.task_type,
        sent.prompt,
        sent.files,
        [context.timeout, context.max_tokens, context.temperature],
        sent.persona_config,
        sent.monkey1_config,
        sent.orchestration_config,
        sent.quantum_config,
        sent.preferred_providers,
        sent.model_preferences,
        sent.model,
        sent.max_cost,
    ]
    if sent.tools or sent.tool_choice is not None:
        asked += [sent.tools, sent.tool_choice]
    weights = weights_in(sent)
    if weights is not None:
        asked.append({"weights": weights})
    if sent.verifier is not None or sent.escalation is not None:
        asked.append({"verifier": sent.verifier, "escalation": sent.escalation})
    return hashlib.sha256(_sorted.encode(asked)).digest()


def _requested(sent: ExecuteRequest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in ORCHESTRATION_FIELDS:
        config: OrchestrationConfig | None = getattr(sent, field)
        if config is not None:
            found[field] = {name: value for name, value in msgspec.structs.asdict(config).items() if value is not None}
    return found
