"""Refusals in Stripe's words: status, type, code and the sentence a developer reads."""

from typing import Any


class Refusal(Exception):
    """A call that is answered with an error body."""

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more
        self.document: dict[str, Any] = {"message": message, "type": kind, **more}

    @property
    def saved(self) -> bool:
        """Whether an idempotency key remembers it: only what a handler began."""
        return self.document.get("code") not in {"parameter_unknown", "parameter_missing", "parameter_invalid"}


def invalid(message: str, param: str = "", code: str = "") -> Refusal:
    """A request that cannot be followed."""
    return Refusal(400, message, **({"param": param} if param else {}), **({"code": code} if code else {}))


def malformed(message: str, param: str, code: str = "parameter_invalid") -> Refusal:
    """A request that is refused before any work."""
    return invalid(message, param, code)


def missing(what: str, name: str, param: str = "id") -> Refusal:
    """Nothing has that id."""
    return Refusal(404, f"No such {what}: '{name}'", param=param, code="resource_missing")


def declined(message: str, code: str, decline_code: str, **objects: Any) -> Refusal:
    """A bank said no."""
    more = {"decline_code": decline_code} if decline_code else {}
    return Refusal(402, message, kind="card_error", code=code, **more, **objects)
