"""`POST /v1/execute`: the request and the twelve-key response of the native task API.

Published clients send `null` for every optional field, fields of their own, and short forms, so
every optional field here accepts null and unknown fields are ignored by the decoder.
"""

from typing import Any, Literal, get_args

import msgspec

TASK_TYPES = (
    "code_generation",
    "code_analysis",
    "code_review",
    "documentation",
    "testing",
    "debugging",
    "refactoring",
    "custom",
    "chat",
)
PERSONAS = (
    "developer",
    "architect",
    "reviewer",
    "security_analyst",
    "performance_expert",
    "tester",
    "technical_writer",
    "custom",
)
CollapseStrategy = Literal[
    "weighted_average",
    "first_success",
    "best_score",
    "consensus",
    "weighted",
    "vote",
    "cheapest_valid",
    "cascade",
    "race",
    "auto",
    "single",
    "hedge",
]
COLLAPSE_STRATEGIES: tuple[str, ...] = get_args(CollapseStrategy)
CoordinationStrategy = Literal["sequential", "parallel", "collaborative", "hierarchical"]
COORDINATION_STRATEGIES: tuple[str, ...] = get_args(CoordinationStrategy)
VERIFIERS = ("tests", "build", "lint")
"""What callers check answers with, where their code is."""

ExecutionStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled"]


class FileData(msgspec.Struct, omit_defaults=True):
    """One file given as context. `type` is the client's own word for its language or kind."""

    path: str
    content: str
    type: str | None = None


class ExecutionContext(msgspec.Struct):
    """Who asks and within which bounds. `timeout` in seconds (1 to 3600)."""

    user_id: str | None = None
    session_id: str | None = None
    workspace_id: str | None = None
    environment: str | None = None
    timeout: int | float | None = None
    max_tokens: int | None = None
    temperature: float | None = None


class PersonaConfig(msgspec.Struct):
    """How the answer is to be written."""

    persona: str | None = None
    slash_commands: list[str] | None = None
    context_window: int | None = None
    use_markdown_spec: bool | None = None
    custom_instructions: str | None = None


class OrchestrationConfig(msgspec.Struct):
    """Multi-agent and parallel-branch settings; both historic field sets, told apart by name."""

    agent_count: int | None = None
    coordination_strategy: str | None = None
    consensus_threshold: float | None = None
    enable_reflection: bool | None = None
    max_iterations: int | None = None
    parallel_futures: bool | None = None
    collapse_strategy: str | None = None
    quantum_coherence: float | None = None
    execution_branches: int | None = None
    uncertainty_threshold: float | None = None


class RoutingWeights(msgspec.Struct, omit_defaults=True):
    """How much each counts for the choice of a model. Only the ratios matter; what is left out counts nothing."""

    quality: float | None = None
    cost: float | None = None
    latency: float | None = None


class FunctionDefinition(msgspec.Struct, omit_defaults=True):
    """A function the model may call; `parameters` is a JSON Schema of an object."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolDefinition(msgspec.Struct, omit_defaults=True):
    """A tool in OpenAI's shape (`type`, `function`) or, without those two, the function's own fields."""

    type: str | None = None
    function: FunctionDefinition | None = None
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class NamedFunction(msgspec.Struct):
    """The name of a function."""

    name: str


class NamedTool(msgspec.Struct, omit_defaults=True):
    """The one tool that is to be called: in OpenAI's shape (`type`, `function`) or by `name` alone."""

    type: str | None = None
    function: NamedFunction | None = None
    name: str | None = None


class Escalation(msgspec.Struct):
    """The requests of this task whose answers failed the caller's check, first to last, and which check that was."""

    failed: list[str]
    verifier: str | None = None


class ExecuteRequest(msgspec.Struct, kw_only=True):
    """One task. Only `task_type` and `prompt` must be there."""

    task_type: str
    prompt: str
    task_id: str | None = None
    files: list[FileData] | None = None
    context: ExecutionContext | None = None
    persona_config: PersonaConfig | None = None
    monkey1_config: OrchestrationConfig | None = None
    orchestration_config: OrchestrationConfig | None = None
    quantum_config: OrchestrationConfig | None = None
    preferred_providers: list[str] | None = None
    model_preferences: dict[str, str] | None = None
    model: str | None = None
    """A model name of the gateway (`auto`, `auto:cheap`, `provider/model`, a bare id). Other clients leave it out."""
    max_cost: str | None = None
    """USD, decimal string: refuse or re-route when the request could cost more. Ours."""
    weights: RoutingWeights | None = None
    """How much quality, cost and latency count for the choice of a model. Ours."""
    quote_id: str | None = None
    """A quote of `/v1/quote` whose price is to be used. Ours."""
    tools: list[ToolDefinition] | None = None
    """Functions the model may call; what it calls is told in `result.metadata.tool_calls`. Ours."""
    tool_choice: str | NamedTool | None = None
    """`auto`, `none`, `required`, or the one function to call. Ours."""
    verifier: str | None = None
    """The caller checks the answer itself (`tests`, `build`, `lint`) and asks again when it fails. Ours."""
    escalation: Escalation | None = None
    """It asks again. Ours."""


class Artifact(msgspec.Struct, kw_only=True):
    """A file in the answer. `name` and `type` are printed by clients; `filename` and `content` are written."""

    name: str
    type: str
    filename: str
    content: str
    language: str | None = None


class ExecutionResult(msgspec.Struct, kw_only=True):
    """What the task produced. `confidence_score` is 0 to 1 and measured, or null when nothing was."""

    result: str
    metadata: dict[str, Any] = {}
    artifacts: list[Artifact] = []
    confidence_score: float | None = None
    quantum_collapse_info: dict[str, Any] = {}


class UsageMetrics(msgspec.Struct, kw_only=True):
    """Tokens, USD as a JSON number (clients call `.toFixed` on it) and seconds."""

    tokens_used: int
    tokens_input: int
    tokens_output: int
    provider_breakdown: dict[str, int]
    cost_estimate: float
    execution_time: float


class ExecuteResponse(msgspec.Struct, kw_only=True):
    """Exactly these twelve keys: the published Python SDK builds a dataclass of the whole body."""

    execution_id: str
    task_id: str
    status: ExecutionStatus
    result: ExecutionResult | None = None
    error: str | None = None
    created_at: str | None = None
    completed_at: str | None = None
    usage: UsageMetrics | None = None
    execution_time: float | None = None
    persona_routing: dict[str, Any] = {}
    monkey1_orchestration: dict[str, Any] = {}
    orchestration_execution: dict[str, Any] = {}
