"""The names users import: additions are fine, removals break programs."""

import subprocess
import sys

import pytest

import monkey_coder

NAMES = {
    "APIError", "Artifact", "AsyncClient", "AsyncStream", "AuthenticationError", "BudgetExceededError", "Client",
    "ConfigurationError", "ConflictError", "ConnectionFailedError", "CreateKeyRequest", "ExecuteRequest",
    "ExecuteResponse", "Execution", "FileData", "InsufficientCreditError", "InternalServerError",
    "InvalidRequestError", "KeyCaps", "MfaRequiredError", "ModelNotFoundError", "MonkeyCoderError", "NetworkError",
    "NotFoundError", "PaymentRefusedError", "PermissionDeniedError", "PriceUnknownError", "ProviderError",
    "ProviderTimeoutError", "RateLimitError", "RequestInProgressError", "RequestTimeoutError",
    "ResponseFormatError", "ResponseInfo", "RetryNotice", "RetryPolicy", "RoutingWeights", "Stream", "StreamEvent",
    "StreamInterruptedError", "TaskOptions", "UnavailableError", "Verification", "VerifiedRound", "VerifiedTask",
    "__version__", "repair_files", "repair_prompt", "verify",
}  # fmt: skip
METHODS = {
    "alerts", "auth", "balance", "base_url", "call", "capabilities", "close", "execute", "execute_verified", "feedback",
    "health", "keys", "mfa", "models", "organizations", "payments", "plans", "providers", "quote",
    "receipt_keys", "receipt_page", "receipts", "router_debug", "statement", "stream", "usage", "webhooks",
    "with_options",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(monkey_coder.__all__) == NAMES
    assert set(dir(monkey_coder)) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_name_is_there(name: str) -> None:
    assert getattr(monkey_coder, name) is not None


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = monkey_coder.nothing


def test_the_client_has_these_methods() -> None:
    assert {name for name in dir(monkey_coder.Client) if not name.startswith("_")} == METHODS


def test_importing_the_package_loads_no_heavy_module() -> None:
    heavy = "{'httpx2', 'msgspec', 'rich', 'click', 'asyncio', 'ssl'}"
    code = f"import sys, monkey_coder; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own interpreter
    assert shown.stdout.strip() == "[]"
