"""Typed errors of the SDK: one class per thing a caller can do about it."""

from decimal import Decimal
from pathlib import Path


class MonkeyCoderError(Exception):
    """Every error of this package. `str(error)` is one sentence for people."""

    def __init__(
        self,
        message: str,
        *,
        error_code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code
        self.status = status
        self.request_id = request_id


class ConfigurationError(MonkeyCoderError):
    """A configuration file or value cannot be used; `line` and `column` count from 1 where known."""

    def __init__(
        self, message: str, *, path: Path | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        position = "" if line is None else f":{line}:{column}"
        super().__init__(f"{path}{position}: {message}" if path else message)
        self.path = path
        self.line = line
        self.column = column


class NetworkError(MonkeyCoderError):
    """No whole answer came back: the gateway could not be reached or the connection broke."""


class ConnectionFailedError(NetworkError):
    """No connection was made, so the gateway never saw the request."""


class RequestTimeoutError(NetworkError):
    """The total time or the longest silence allowed to this call ran out."""


class StreamInterruptedError(NetworkError):
    """A stream ended before its `complete` event; `partial_text` is what had arrived."""

    def __init__(self, message: str, *, partial_text: str = "", request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.partial_text = partial_text


class ResponseFormatError(MonkeyCoderError):
    """The gateway's answer is not what its API promises (often a proxy's page in between)."""


class APIError(MonkeyCoderError):
    """The gateway answered with an error."""

    def __init__(  # noqa: PLR0913  # what an error answer tells, each by name
        self,
        message: str,
        *,
        error_code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(message, error_code=error_code, status=status, request_id=request_id)
        self.retry_after = retry_after
        """Seconds the gateway asks to wait."""
        self.should_retry = should_retry
        """What the gateway's `x-should-retry` header says, if it is there."""
        self.balance_usd: Decimal | None = None
        self.limit_usd: Decimal | None = None
        self.top_up_url: str | None = None


class InvalidRequestError(APIError):
    """The request is malformed, too large, or asks for what cannot be done."""


class PriceUnknownError(InvalidRequestError):
    """The model has no known price, so the gateway refuses to bill it."""


class AuthenticationError(APIError):
    """The key or the password is missing, wrong, revoked or expired."""


class MfaRequiredError(AuthenticationError):
    """The password is right; a second factor must follow with `mfa_token`."""

    def __init__(self, message: str, *, mfa_token: str) -> None:
        super().__init__(message)
        self.mfa_token = mfa_token


class PermissionDeniedError(APIError):
    """The key is good but does not allow this model or action."""


class InsufficientCreditError(APIError):
    """The balance does not cover the request; see `balance_usd` and `top_up_url`."""


class BudgetExceededError(APIError):
    """A cap of the key, the account or the request would be passed; see `limit_usd`."""


class PaymentRefusedError(APIError):
    """The payment processor refused a payment or what was to be done with one; trying again cannot help."""


class NotFoundError(APIError):
    """The thing named does not exist or belongs to another account."""


class ModelNotFoundError(NotFoundError):
    """No such model at this gateway."""


class ConflictError(APIError):
    """The request contradicts something that exists, such as a used `task_id` with another body."""


class RequestInProgressError(ConflictError):
    """The same `task_id` is still being worked on."""


class RateLimitError(APIError):
    """Too many requests; `retry_after` says how many seconds to wait."""


class ProviderError(APIError):
    """Every model provider that was tried refused or failed. Nothing was charged for it."""


class ProviderTimeoutError(ProviderError):
    """The model provider took too long."""


class UnavailableError(APIError):
    """The gateway cannot serve right now; `retry_after` may say when to come back."""


class InternalServerError(APIError):
    """The gateway failed; give `request_id` to its operator."""
