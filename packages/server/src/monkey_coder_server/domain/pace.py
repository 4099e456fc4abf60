"""How many tokens a second a model writes, learnt from answers of any length: a long one takes longer than a short one.

A streamed answer tells its first token's time and, with what came after, its pace. One that comes whole tells a single
time, which is divided between the two as is expected of an answer of its length.
"""

from dataclasses import dataclass

from monkey_coder_server.domain.routing_priors import USUAL_SPEED

KEPT = 0.9
"""What earlier answers weigh after each new one: about the last ten count."""
ASSUMED_TOKENS = 50.0
"""The usual pace counts as so many tokens beside those that were seen: the few of a short answer come at any pace."""
USUAL_MS_PER_TOKEN = 1_000.0 / USUAL_SPEED.tokens_per_second


@dataclass(slots=True)
class Pace:
    """Tokens that were written, thoughts included, and the milliseconds that took from the first one on."""

    tokens: float = 0.0
    milliseconds: float = 0.0

    def learn(self, tokens: int, milliseconds: float) -> None:
        """Count an answer."""
        self.tokens = KEPT * self.tokens + tokens
        self.milliseconds = KEPT * self.milliseconds + milliseconds

    @property
    def tokens_per_second(self) -> float | None:
        """None until a token was seen."""
        return 1_000.0 / self._per_token if self.tokens else None

    def until_first(self, total_ms: float, tokens: int, first_ms: float | None) -> float:
        """The part of a whole answer's time before its first token; `first_ms` is what is known of such times."""
        first = USUAL_SPEED.first_byte_ms if first_ms is None else max(1.0, first_ms)
        return total_ms * (first / (first + tokens * self._per_token))

    @property
    def _per_token(self) -> float:
        """In milliseconds."""
        assumed = ASSUMED_TOKENS * USUAL_MS_PER_TOKEN
        return (assumed + self.milliseconds) / (ASSUMED_TOKENS + self.tokens)
