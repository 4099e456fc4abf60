"""What `execute` and a finished stream return: the protocol's response with reading aids."""

from decimal import Decimal, InvalidOperation
from typing import Any

from monkey_coder_protocol.execute import Artifact, ExecuteResponse


def money(value: object) -> Decimal | None:
    """USD from a decimal string; None for anything else. Floats are refused: they are not exact."""
    if not isinstance(value, str):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def route_name(provider: str | None, model: str | None) -> str:
    """`provider/model`, also where the model's own name begins with its provider."""
    if not model or not provider or model.startswith(f"{provider}/"):
        return model or ""
    return f"{provider}/{model}"


class Execution(ExecuteResponse, kw_only=True):
    """An `ExecuteResponse` (the same twelve fields) whose properties read `result.metadata`."""

    @property
    def text(self) -> str:
        """The answer as text, empty when the task failed."""
        return self.result.result if self.result else ""

    @property
    def artifacts(self) -> list[Artifact]:
        """The files of the answer."""
        return self.result.artifacts if self.result else []

    @property
    def metadata(self) -> dict[str, Any]:
        """Everything the gateway tells about how the answer was made."""
        return self.result.metadata if self.result else {}

    @property
    def request_id(self) -> str | None:
        """Names this request at the gateway; `feedback` takes it."""
        return self._word("request_id")

    @property
    def provider(self) -> str | None:
        """The provider that answered."""
        return self._word("provider")

    @property
    def model(self) -> str | None:
        """The model that answered."""
        return self._word("model")

    @property
    def route(self) -> str:
        """The provider and model that answered, as `provider/model`; empty when unknown."""
        return route_name(self.provider, self.model)

    @property
    def receipt_id(self) -> str | None:
        """Names the signed receipt of this charge."""
        return self._word("receipt_id")

    @property
    def cost_usd(self) -> Decimal | None:
        """The exact charge in USD."""
        return money(self.metadata.get("cost_usd"))

    @property
    def balance_usd(self) -> Decimal | None:
        """The wallet's balance in USD after the charge."""
        return money(self.metadata.get("balance_usd"))

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped, such as `stop` or `length`."""
        return self._word("finish_reason")

    def _word(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None
