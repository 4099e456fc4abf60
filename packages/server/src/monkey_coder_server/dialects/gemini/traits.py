"""What differs between Gemini models at the wire, above all how thinking is measured."""

from dataclasses import dataclass

_LEVEL_OF_EFFORT = {
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
_LEVEL_OF_BUDGET = ((1024, "minimal"), (8192, "low"), (16384, "medium"))
_BUDGET_OF_EFFORT = {"minimal": 1024, "low": 4096, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 32768}


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """Facts of one model (ai.google.dev, thinking guide and each model's page).

    `levels`: the words `thinkingLevel` takes, lowest first (Gemini 3 and later); empty where `budget`, the
    range of `thinkingBudget`, rules (2.5). `can_rest`: a budget of 0 turns thinking off.
    `signed_calls`: a replayed call without a thought signature is refused.
    `media_results`: a tool result may hold images.
    `calls_with_schema`: tools and an output schema may stand in one request.
    """

    levels: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    can_rest: bool = False
    signed_calls: bool = False
    media_results: bool = False
    calls_with_schema: bool = False

    def level(self, effort: str | None, budget: int | None) -> str | None:
        """The level nearest to an effort or a budget in tokens; None leaves the model's default."""
        wanted = _LEVEL_OF_EFFORT.get(effort or "")
        if wanted is None and budget is not None:
            wanted = next((level for bound, level in _LEVEL_OF_BUDGET if budget <= bound), "high")
        if wanted is None:
            return None
        return wanted if wanted in self.levels else self.levels[0]

    def thinking_budget(self, effort: str | None, budget: int | None) -> int | None:
        """Tokens within this model's range; None leaves the model's default."""
        wanted = budget if budget is not None else _BUDGET_OF_EFFORT.get(effort or "")
        if wanted is None or self.budget is None:
            return None
        least, most = self.budget
        return min(max(wanted, least), most)
