"""Monkey Coder for users: the SDK and the command `monkey`.

Names are loaded when they are first used, so that `monkey --help` and programs that need one class stay quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from monkey_coder_protocol import version

if TYPE_CHECKING:
    from monkey_coder._options import RetryNotice
    from monkey_coder._requests import TaskOptions
    from monkey_coder._responses import ResponseInfo
    from monkey_coder._retry import RetryPolicy
    from monkey_coder.async_client import AsyncClient, AsyncStream
    from monkey_coder.client import Client, Stream
    from monkey_coder.errors import (
        APIError,
        AuthenticationError,
        BudgetExceededError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        InsufficientCreditError,
        InternalServerError,
        InvalidRequestError,
        MfaRequiredError,
        ModelNotFoundError,
        MonkeyCoderError,
        NetworkError,
        NotFoundError,
        PaymentRefusedError,
        PermissionDeniedError,
        PriceUnknownError,
        ProviderError,
        ProviderTimeoutError,
        RateLimitError,
        RequestInProgressError,
        RequestTimeoutError,
        ResponseFormatError,
        StreamInterruptedError,
        UnavailableError,
    )
    from monkey_coder.results import Execution
    from monkey_coder.verification import Verification, repair_files, repair_prompt, verify
    from monkey_coder.verified_task import VerifiedRound, VerifiedTask
    from monkey_coder_protocol.auth import CreateKeyRequest, KeyCaps
    from monkey_coder_protocol.events import StreamEvent
    from monkey_coder_protocol.execute import Artifact, ExecuteRequest, ExecuteResponse, FileData, RoutingWeights

__version__ = version.VERSION

_ERRORS = (
    "APIError",
    "AuthenticationError",
    "BudgetExceededError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "InsufficientCreditError",
    "InternalServerError",
    "InvalidRequestError",
    "MfaRequiredError",
    "ModelNotFoundError",
    "MonkeyCoderError",
    "NetworkError",
    "NotFoundError",
    "PaymentRefusedError",
    "PermissionDeniedError",
    "PriceUnknownError",
    "ProviderError",
    "ProviderTimeoutError",
    "RateLimitError",
    "RequestInProgressError",
    "RequestTimeoutError",
    "ResponseFormatError",
    "StreamInterruptedError",
    "UnavailableError",
)
_HOMES = {
    "Artifact": "monkey_coder_protocol.execute",
    "AsyncClient": "monkey_coder.async_client",
    "AsyncStream": "monkey_coder.async_client",
    "Client": "monkey_coder.client",
    "CreateKeyRequest": "monkey_coder_protocol.auth",
    "ExecuteRequest": "monkey_coder_protocol.execute",
    "ExecuteResponse": "monkey_coder_protocol.execute",
    "Execution": "monkey_coder.results",
    "FileData": "monkey_coder_protocol.execute",
    "KeyCaps": "monkey_coder_protocol.auth",
    "ResponseInfo": "monkey_coder._responses",
    "RetryNotice": "monkey_coder._options",
    "RetryPolicy": "monkey_coder._retry",
    "RoutingWeights": "monkey_coder_protocol.execute",
    "Stream": "monkey_coder.client",
    "StreamEvent": "monkey_coder_protocol.events",
    "TaskOptions": "monkey_coder._requests",
    "Verification": "monkey_coder.verification",
    "VerifiedRound": "monkey_coder.verified_task",
    "VerifiedTask": "monkey_coder.verified_task",
    "repair_files": "monkey_coder.verification",
    "repair_prompt": "monkey_coder.verification",
    "verify": "monkey_coder.verification",
} | dict.fromkeys(_ERRORS, "monkey_coder.errors")

__all__ = [
    "APIError",
    "Artifact",
    "AsyncClient",
    "AsyncStream",
    "AuthenticationError",
    "BudgetExceededError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateKeyRequest",
    "ExecuteRequest",
    "ExecuteResponse",
    "Execution",
    "FileData",
    "InsufficientCreditError",
    "InternalServerError",
    "InvalidRequestError",
    "KeyCaps",
    "MfaRequiredError",
    "ModelNotFoundError",
    "MonkeyCoderError",
    "NetworkError",
    "NotFoundError",
    "PaymentRefusedError",
    "PermissionDeniedError",
    "PriceUnknownError",
    "ProviderError",
    "ProviderTimeoutError",
    "RateLimitError",
    "RequestInProgressError",
    "RequestTimeoutError",
    "ResponseFormatError",
    "ResponseInfo",
    "RetryNotice",
    "RetryPolicy",
    "RoutingWeights",
    "Stream",
    "StreamEvent",
    "StreamInterruptedError",
    "TaskOptions",
    "UnavailableError",
    "Verification",
    "VerifiedRound",
    "VerifiedTask",
    "__version__",
    "repair_files",
    "repair_prompt",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load a public name from where it lives (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
