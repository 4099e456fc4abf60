"""From a method call to an HTTP request. Pure: identifiers are passed in, nothing is sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote as escape
from urllib.parse import urlencode

import msgspec

from monkey_coder import _responses
from monkey_coder.errors import ConfigurationError
from monkey_coder.results import Execution, money
from monkey_coder_protocol import auth, billing, catalog, cli_login, execute, factors, identity, organizations

T = TypeVar("T")
Outcome = Literal["accepted", "rejected", "tests_passed", "tests_failed"]
Verifier = Literal["tests", "build", "lint"]
TASK_TIMEOUT = 300.0
"""Seconds a task may take when the caller says nothing; the gateway's own default."""
TASK_GRACE = 10.0
"""Seconds the client waits beyond a task's timeout, so that the gateway's own answer can arrive."""
CONTROL_TIMEOUT = 30.0
"""Seconds for every call that asks no model."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, relative to the base URL. `timeout` is the total in seconds."""

    method: str
    path: str
    body: bytes | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = CONTROL_TIMEOUT
    streaming: bool = False


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request and how to read its answer: all that the sync and async clients need to know."""

    request: Request
    parse: Callable[[_responses.Reply], T]


class TaskOptions(TypedDict, total=False):
    """What can be said about a task beside its prompt."""

    task_type: str
    files: Sequence[execute.FileData]
    persona: str
    instructions: str
    model: str
    """`auto`, `auto:cheap`, `auto:fast`, `auto:best`, `provider/model` or a model id."""
    providers: Sequence[str]
    max_cost: Decimal | str
    """USD: the gateway refuses what could cost more."""
    max_tokens: int
    temperature: float
    timeout: float
    """Seconds, 1 to 3600."""
    session_id: str
    task_id: str
    """The same id is never worked on or charged twice. Made up when left out."""
    quote_id: str
    weights: execute.RoutingWeights
    """How much quality, cost and latency count for the choice of a model."""
    collapse: execute.CollapseStrategy
    """Several models answer, and one answer is kept by this rule."""
    branches: int
    """How many models answer, 2 to 10; 3 when left out and `collapse` asks for several."""
    agents: int
    """How many agents work at it together, 1 to 8; then `collapse` and `branches` are left aside."""
    coordination: execute.CoordinationStrategy
    """How agents work together: `collaborative` when left out."""
    reflections: int
    """How often agents criticise the answer and write it anew, 0 to 5."""
    verifier: Verifier
    """You check the answer with these and ask again when it fails: the cheapest model worth trying comes first."""
    failed: Sequence[str]
    """The requests of this task whose answers failed your check, first to last: the next model is asked."""
    answers: int
    """How many answers such a task may take, 2 to 10; 4 when left out."""


def build_task(task: str | execute.ExecuteRequest, options: TaskOptions, *, task_id: str) -> execute.ExecuteRequest:
    """The body of a task. `task_id` is used unless the caller gave one. Raises `ConfigurationError`."""
    if isinstance(task, execute.ExecuteRequest):
        if options:
            raise ConfigurationError("Give either a whole ExecuteRequest or a prompt with options, not both.")
        return msgspec.structs.replace(task, task_id=task.task_id or task_id)
    return execute.ExecuteRequest(
        task_type=options.get("task_type", "code_generation"),
        prompt=task,
        task_id=options.get("task_id") or task_id,
        files=list(options["files"]) if options.get("files") else None,
        context=_context(options),
        persona_config=execute.PersonaConfig(
            persona=options.get("persona"), custom_instructions=options.get("instructions")
        ),
        preferred_providers=list(options["providers"]) if options.get("providers") else None,
        model=options.get("model"),
        max_cost=usd_text(options["max_cost"]) if options.get("max_cost") is not None else None,
        quote_id=options.get("quote_id"),
        weights=options.get("weights"),
        monkey1_config=_agents(options),
        orchestration_config=_branches(options),
        verifier=options.get("verifier"),
        escalation=_escalation(options),
    )


def execution(task: execute.ExecuteRequest) -> Call[Execution]:
    """`POST /v1/execute`; repeating it with the same `task_id` answers the same result."""
    return Call(_task_request("/v1/execute", task), _responses.parse_execution)


def stream(task: execute.ExecuteRequest) -> Request:
    """`POST /v1/execute/stream`."""
    request = _task_request("/v1/execute/stream", task)
    return replace(request, headers={**request.headers, "accept": "text/event-stream"}, streaming=True)


def quote(task: execute.ExecuteRequest) -> Call[billing.Quote]:
    """`POST /v1/quote`: what the task would cost."""
    return Call(_post("/v1/quote", task), _responses.parse_as(billing.Quote))


def router_debug(task: execute.ExecuteRequest) -> Call[dict[str, Any]]:
    """`POST /v1/router/debug`: where the task would go, and why."""
    return Call(_post("/v1/router/debug", task), _responses.parse_object)


def models(provider: str | None) -> Call[catalog.ModelList]:
    """`GET /v1/models`."""
    return Call(_get("/v1/models", provider=provider), _responses.parse_as(catalog.ModelList))


def providers() -> Call[catalog.ProviderList]:
    """`GET /v1/providers`."""
    return Call(_get("/v1/providers"), _responses.parse_as(catalog.ProviderList))


def capabilities() -> Call[dict[str, Any]]:
    """`GET /v1/capabilities`."""
    return Call(_get("/v1/capabilities"), _responses.parse_object)


def health() -> Call[catalog.Health]:
    """`GET /health`."""
    return Call(_get("/health"), _responses.parse_as(catalog.Health))


def balance() -> Call[billing.Balance]:
    """`GET /v1/billing/balance`."""
    return Call(_get("/v1/billing/balance"), _responses.parse_as(billing.Balance))


def limits(key_id: str | None, project_id: str | None) -> Call[organizations.KeyPolicy]:
    """`GET /v1/limits`."""
    asked = {name: each for name, each in (("key_id", key_id), ("project_id", project_id)) if each is not None}
    path = f"/v1/limits?{urlencode(asked)}" if asked else "/v1/limits"
    return Call(_get(path), _responses.parse_as(organizations.KeyPolicy))


def receipt(receipt_id: str) -> Call[billing.Receipt]:
    """`GET /v1/billing/receipts/{id}`."""
    return Call(_get(f"/v1/billing/receipts/{escape(receipt_id, safe='')}"), _responses.parse_as(billing.Receipt))


def receipt_page(
    *, start: str | None, end: str | None, key_id: str | None, limit: int | None, after: str | None
) -> Call[billing.ReceiptPage]:
    """`GET /v1/billing/receipts`; dates as `YYYY-MM-DD`."""
    most = None if limit is None else str(limit)
    request = _get("/v1/billing/receipts", start_date=start, end_date=end, key_id=key_id, limit=most, after=after)
    return Call(request, _responses.parse_as(billing.ReceiptPage))


def statement(month: str | None) -> Call[billing.Statement]:
    """`GET /v1/billing/statement`; the month as `YYYY-MM`."""
    return Call(_get("/v1/billing/statement", month=month), _responses.parse_as(billing.Statement))


def receipt_keys() -> Call[billing.ReceiptKeys]:
    """`GET /.well-known/monkey-receipts.json`."""
    return Call(_get("/.well-known/monkey-receipts.json"), _responses.parse_as(billing.ReceiptKeys))


def feedback(report: billing.Feedback) -> Call[dict[str, Any]]:
    """`POST /v1/feedback`."""
    return Call(_post("/v1/feedback", report), _responses.parse_object)


def register(body: auth.RegisterRequest) -> Call[auth.TokenResponse]:
    """`POST /v1/auth/register`."""
    return Call(_post("/v1/auth/register", body), _responses.parse_tokens)


def login(body: auth.LoginRequest) -> Call[auth.TokenResponse]:
    """`POST /v1/auth/login`."""
    return Call(_post("/v1/auth/login", body), _responses.parse_tokens)


def verify_mfa(body: factors.MfaVerifyRequest) -> Call[auth.TokenResponse]:
    """`POST /v1/auth/mfa/verify`."""
    return Call(_post("/v1/auth/mfa/verify", body), _responses.parse_tokens)


def begin_device_login(body: cli_login.DeviceAuthorizationRequest) -> Call[cli_login.DeviceAuthorization]:
    """`POST /v1/auth/device/authorize`."""
    return Call(_post("/v1/auth/device/authorize", body), _responses.parse_as(cli_login.DeviceAuthorization))


def poll_device_login(device_code: str) -> Call[cli_login.CommandLineKey]:
    """`POST /v1/auth/device/token`."""
    body = cli_login.DeviceTokenRequest(device_code=device_code)
    return Call(_post("/v1/auth/device/token", body), _responses.parse_as(cli_login.CommandLineKey))


def redeem_code(body: cli_login.CodeTokenRequest) -> Call[cli_login.CommandLineKey]:
    """`POST /v1/auth/authorize/token`."""
    return Call(_post("/v1/auth/authorize/token", body), _responses.parse_as(cli_login.CommandLineKey))


def refresh(refresh_token: str) -> Call[auth.TokenResponse]:
    """`POST /v1/auth/refresh`."""
    return Call(_post("/v1/auth/refresh", auth.RefreshRequest(refresh_token)), _responses.parse_tokens)


def logout() -> Call[auth.Message]:
    """`POST /v1/auth/logout`."""
    return Call(Request("POST", "/v1/auth/logout"), _responses.parse_as(auth.Message))


def auth_status() -> Call[auth.AuthStatus]:
    """`GET /v1/auth/status`."""
    return Call(_get("/v1/auth/status"), _responses.parse_as(auth.AuthStatus))


def forgot_password(email: str) -> Call[identity.Done]:
    """`POST /v1/auth/password/forgot`."""
    body = identity.AddressRequest(email=email)
    return Call(_post("/v1/auth/password/forgot", body), _responses.parse_as(identity.Done))


def change_password(current: str, new: str) -> Call[identity.Done]:
    """`POST /v1/auth/password/change`."""
    body = identity.ChangePasswordRequest(current_password=current, new_password=new)
    return Call(_post("/v1/auth/password/change", body), _responses.parse_as(identity.Done))


def sessions() -> Call[identity.SessionList]:
    """`GET /v1/auth/sessions`."""
    return Call(_get("/v1/auth/sessions"), _responses.parse_as(identity.SessionList))


def end_session(session_id: str) -> Call[auth.Message]:
    """`DELETE /v1/auth/sessions/{session_id}`."""
    return Call(
        Request("DELETE", f"/v1/auth/sessions/{escape(session_id, safe='')}"), _responses.parse_as(auth.Message)
    )


def end_sessions(*, this_one: bool) -> Call[identity.EndedSessions]:
    """`POST /v1/auth/logout/all`."""
    body = identity.EndSessionsRequest(this_one=this_one)
    return Call(_post("/v1/auth/logout/all", body), _responses.parse_as(identity.EndedSessions))


def list_keys() -> Call[auth.KeyList]:
    """`GET /v1/keys`."""
    return Call(_get("/v1/keys"), _responses.parse_as(auth.KeyList))


def create_key(body: auth.CreateKeyRequest) -> Call[auth.CreatedKey]:
    """`POST /v1/keys`."""
    return Call(_post("/v1/keys", body), _responses.parse_as(auth.CreatedKey))


def revoke_key(key_id: str) -> Call[auth.Message]:
    """`DELETE /v1/keys/{key_id}`."""
    return Call(Request("DELETE", f"/v1/keys/{escape(key_id, safe='')}"), _responses.parse_as(auth.Message))


def with_identity(request: Request, *, api_key: str | None, user_agent: str, idempotency_key: str) -> Request:
    """Add what every request carries. The idempotency key stays the same over all its attempts."""
    headers = {"accept": "application/json", "user-agent": user_agent, **request.headers}
    if request.body is not None:
        headers["content-type"] = "application/json"
    if api_key:
        headers["authorization"] = f"Bearer {api_key}"
    if request.method == "POST":
        headers.setdefault("idempotency-key", idempotency_key)
    return replace(request, headers=headers)


def usd_text(amount: Decimal | str) -> str:
    """A decimal string for an amount in USD. Raises `ConfigurationError` for anything else."""
    value = money(str(amount))
    if value is None or value < 0:
        message = f"{amount!r} is not an amount in USD; write it like 0.25."
        raise ConfigurationError(message)
    return f"{value:f}"


def _context(options: TaskOptions) -> execute.ExecutionContext:
    return execute.ExecutionContext(
        session_id=options.get("session_id"),
        timeout=options.get("timeout", TASK_TIMEOUT),
        max_tokens=options.get("max_tokens"),
        temperature=options.get("temperature"),
    )


def _agents(options: TaskOptions) -> execute.OrchestrationConfig | None:
    """What is said of agents, None for nothing."""
    reflections = options.get("reflections")
    if not reflections and not options.keys() & {"agents", "coordination"}:
        return None
    return execute.OrchestrationConfig(
        agent_count=options.get("agents"),
        coordination_strategy=options.get("coordination"),
        enable_reflection=True if reflections else None,
        max_iterations=reflections or None,
    )


def _branches(options: TaskOptions) -> execute.OrchestrationConfig | None:
    """What is said of several answers, at once or one by one as the caller's check asks for them; None for nothing."""
    answers = options.get("answers")
    if answers is not None:
        return execute.OrchestrationConfig(collapse_strategy="cascade", execution_branches=answers)
    if not options.keys() & {"collapse", "branches"}:
        return None
    return execute.OrchestrationConfig(
        collapse_strategy=options.get("collapse"), execution_branches=options.get("branches")
    )


def _escalation(options: TaskOptions) -> execute.Escalation | None:
    failed = options.get("failed")
    return execute.Escalation(list(failed), options.get("verifier")) if failed else None


def _task_request(path: str, task: execute.ExecuteRequest) -> Request:
    seconds = task.context.timeout if task.context and task.context.timeout else TASK_TIMEOUT
    headers = {"idempotency-key": task.task_id} if task.task_id else {}
    return replace(_post(path, task), headers=headers, timeout=seconds + TASK_GRACE)


def _get(path: str, **query: str | None) -> Request:
    return Request("GET", path, query={name: value for name, value in query.items() if value is not None})


def _post(path: str, body: msgspec.Struct) -> Request:
    return Request("POST", path, body=_without_nulls(body))


def _without_nulls(body: msgspec.Struct) -> bytes:
    plain = msgspec.to_builtins(body)
    return msgspec.json.encode(_prune(plain))


def _prune(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _prune(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_prune(item) for item in value]
    return value
