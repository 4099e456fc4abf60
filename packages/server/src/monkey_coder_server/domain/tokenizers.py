"""What a token is to each family of models, learnt from what providers counted in recorded exchanges.

No provider's tokenizer is at hand here, so each family is described by weights on what `prompt_tokens` counts. They
were fitted by `python -m tools.calibrate`, which prints this table with the errors on recordings it had not seen.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import ceil
from types import MappingProxyType
from typing import NamedTuple


class Calibration(NamedTuple):
    """Tokens for a request as such, and for each of what it holds; `plain`…`unread` are tokens per 1,000 bytes.

    `toolbox` comes once where any tool is offered: instructions of the provider's own.
    """

    request: float
    turn: float
    call: float
    toolbox: float
    tool: float
    plain: float
    wide: float
    arguments: float
    schemas: float
    output: float
    unread: float = 0.0

    def tokens(  # noqa: PLR0913 - what a prompt is made of, all named
        self,
        *,
        turns: int,
        calls: int,
        tools: int,
        plain: int,
        wide: int,
        arguments: int,
        schemas: int,
        output: int,
        unread: int,
    ) -> int:
        """The tokens to expect of a prompt: counts of things, and bytes of UTF-8."""
        things = self.request + self.turn * turns + self.call * calls + self.tool * tools
        written = (
            self.plain * plain
            + self.wide * wide
            + self.arguments * arguments
            + self.schemas * schemas
            + self.output * output
            + self.unread * unread
        )
        return ceil(things + (self.toolbox if tools else 0.0) + written / 1_000)


ANY = Calibration(0.5, 6.5, 41.3, 0.7, 0.0, 218.0, 324.7, 613.7, 259.4, 188.5, 0.0)
"""For a model of no known family, or where the model is not known yet."""

CALIBRATIONS: Mapping[str, Calibration] = MappingProxyType(
    {
        "claude-3": Calibration(6.0, 6.2, 40.2, 285.2, 0.0, 166.9, 324.7, 612.4, 259.4, 188.5, 0.0),
        "claude-4": Calibration(2.0, 7.5, 30.5, 505.2, 3.0, 266.1, 321.7, 593.6, 282.9, 762.4, 0.0),
        "gemini-2.0": Calibration(0.0, 1.2, 34.4, 1.1, 0.0, 189.5, 325.8, 601.3, 64.8, 2.6, 0.0),
        "gemini-2.5": Calibration(2.5, 1.3, 38.6, 0.0, 3.7, 225.0, 322.8, 606.8, 318.4, 0.0, 0.0),
        "gemini-3": Calibration(0.0, 1.8, 37.5, 0.0, 0.0, 205.5, 324.7, 611.2, 334.4, 8.5, 0.0),
        "gpt-oss": Calibration(66.2, 6.3, 33.7, 0.0, 0.0, 168.2, 324.7, 598.5, 265.1, 215.5, 0.0),
        "grok-2": Calibration(3.9, 5.4, 23.6, 62.0, 0.0, 217.2, 329.1, 610.5, 312.8, 188.5, 0.0),
        "grok-3": Calibration(13.0, 1.7, 41.3, 0.7, 0.0, 25.7, 305.6, 613.7, 259.4, 188.5, 0.0),
        "grok-4-fast": Calibration(167.8, 3.7, 17.2, 142.7, 0.0, 221.5, 333.1, 598.0, 302.1, 243.2, 0.0),
        "grok-4.3": Calibration(190.2, 6.2, 41.3, 34.6, 3.4, 201.2, 324.7, 613.7, 313.1, 242.7, 0.0),
        "kimi-k2": Calibration(2.1, 6.5, 41.3, 0.7, 0.0, 218.0, 324.7, 613.7, 259.4, 188.5, 0.0),
        "kimi-k3": Calibration(79.3, 6.5, 41.3, 0.7, 0.0, 202.4, 324.7, 613.7, 259.4, 188.5, 0.0),
        "llama-3": Calibration(26.4, 6.5, 41.3, 0.7, 0.0, 147.7, 324.7, 613.7, 259.4, 188.5, 0.0),
        "llama-4": Calibration(1.6, 6.4, 40.5, 661.9, 4.2, 220.1, 324.7, 612.6, 271.0, 188.5, 0.0),
        "openai": Calibration(0.7, 6.4, 23.7, 11.9, 0.0, 230.7, 332.3, 597.2, 108.3, 206.7, 0.0),
        "sonar": Calibration(0.0, 4.7, 41.3, 0.7, 0.0, 193.9, 346.8, 613.7, 259.4, 95.0, 0.0),
    }
)
"""By family. Fitted to 822 exchanges of the recordings in `packages/server/tests/recordings` (their NOTICE names the
projects) and nine of Moonshot's that may not be republished; nothing of their texts is in these numbers. Of exchanges
left out of the fit the prompt was foretold with a median error of 8.5 %."""

_FAMILIES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "openai": (("", "openai"),),
        "anthropic": (("claude-3", "claude-3"), ("", "claude-4")),
        "google": (("gemini-2.5", "gemini-2.5"), ("gemini-2", "gemini-2.0"), ("", "gemini-3")),
        "groq": (("openai/gpt-oss", "gpt-oss"), ("meta-llama/llama-4", "llama-4"), ("llama", "llama-3")),
        "xai": (("grok-4-", "grok-4-fast"), ("grok-2", "grok-2"), ("grok-3", "grok-3"), ("", "grok-4.3")),
        "perplexity": (("", "sonar"),),
        "moonshot": (("kimi-k3", "kimi-k3"), ("", "kimi-k2")),
    }
)
"""By provider: the first beginning that a model's id has names its family."""


def family(provider: str, model: str) -> str:
    """The family a model counts tokens like; empty where none is known."""
    return next((name for start, name in _FAMILIES.get(provider, ()) if model.startswith(start)), "")


@lru_cache(maxsize=512)
def calibration(provider: str, model: str) -> Calibration:
    """The weights for a model."""
    return CALIBRATIONS.get(family(provider, model), ANY)
