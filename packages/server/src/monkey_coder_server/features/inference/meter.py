"""Counts what an answer has come to while it streams, to stop it before it outgrows what is held for it.

No tokenizer of a provider runs here. What counts is the least number of tokens the pieces can be, so that an answer
whose provider keeps to the limit is never stopped; three facts bound it from below, measured over the recordings (424
streams, 930 whole answers):

* a frame with content holds at least one token: 0.05 to 1.00 frames a token in every stream of 50 tokens or more. A
  server that cuts its frames finer shows in their size, so pieces count for no more than a token every four bytes;
* a token has at most six characters on average over an answer (longest recorded: 5.8, English prose; the median lies
  between 2 and 4.6), runs of spaces counted as a fourth of their length and thoughts, which may be told otherwise than
  they are counted, as a fifth;
* what the provider itself has reported so far.
"""

from monkey_coder_server.domain.money import TOKENS_PER_PRICE_UNIT
from monkey_coder_server.domain.stream_events import (
    Event,
    Frame,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageReported,
)
from monkey_coder_server.domain.usage import (
    MOST_TOKENS,
    OUTPUT_BYTES_PER_TOKEN,
    ReportedUsage,
    Usage,
    UsageRule,
    normalise,
)
from monkey_coder_server.features.inference.tariff import Tariff

CHARACTERS_PER_TOKEN = 6
BYTES_PER_PIECE = 4
INDENT = "    "
"""A run of spaces is one token as a rule: four of them count as one character."""
UNIT = 30
"""Parts of a token in which characters are counted, so that all weights are whole."""
PLAIN = UNIT // CHARACTERS_PER_TOKEN
THOUGHT = 1
SLACK = 16
SLACK_SHARE = 32
"""An answer may have so many tokens more than its limit, and one in so many, before it counts as too long."""

CHEAP = 512
"""Output tokens that are read on for in any case: a row that is estimated costs somebody's time."""
_SAID = (TextDelta, RefusalDelta)


class Meter:
    """One streamed answer against `most`, the output tokens its provider was asked to keep to.

    `held` and `tariff` bound it further once the provider reports a prompt that left less room. `prompt` is the tokens
    it is reckoned at before. Constant work an event.
    """

    __slots__ = (
        "_bytes",
        "_held",
        "_input",
        "_limit",
        "_pieces",
        "_prompt",
        "_reported",
        "_rule",
        "_said",
        "_tariff",
        "_until",
        "over",
    )

    def __init__(self, most: int, *, held: int, tariff: Tariff, rule: UsageRule, prompt: int = 0) -> None:
        self._held = held
        self._tariff = tariff
        self._rule = rule
        self._input: tuple[int | None, ...] = ()
        self._limit = most + SLACK + most // SLACK_SHARE
        self._prompt = prompt
        self._until: int | None = None
        self._reported = 0
        self._pieces = self._bytes = self._said = 0
        self.over = False
        """Whether the answer is longer than it may be."""

    @property
    def bytes_since_report(self) -> int:
        """UTF-8 bytes of content that came after the provider's last count."""
        return self._bytes

    @property
    def reported(self) -> int:
        """Output tokens by the provider's last count."""
        return self._reported

    def see(self, event: Event) -> None:
        """Count one event of the answer."""
        if isinstance(event, Frame):
            if event.skimmed:
                self._skimmed(event)
        elif isinstance(event, _SAID):
            self._count(event.text, PLAIN)
        elif isinstance(event, ToolCallDelta):
            self._count(event.fragment, PLAIN)
        elif isinstance(event, ThinkingDelta):
            self._count(event.text, THOUGHT)
        elif isinstance(event, UsageReported):
            self._report(event.usage)

    def _count(self, text: str, weight: int) -> None:
        if text:
            size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            self._add(size, weight * max(1, len(text) - 3 * text.count(INDENT)))

    def _skimmed(self, frame: Frame) -> None:
        data, size = frame.data, frame.skimmed
        wide = 0 if data.isascii() else len(data.encode("utf-8", "surrogatepass")) - len(data)
        indents = data.count(INDENT, 0, data.rfind('"')) if INDENT in data else 0  # Anthropic pads behind the last word
        self._add(size, PLAIN * max(1, size - wide - 3 * indents))

    def _add(self, size: int, said: int) -> None:
        self._pieces += 1
        self._bytes += size
        self._said += said
        left = self._limit - self._reported
        self.over = self._said > left * UNIT or (self._pieces > left and self._bytes > left * BYTES_PER_PIECE)

    @property
    def written(self) -> int:
        """Output tokens so far, as they would be charged for."""
        return self._reported + self._bytes // OUTPUT_BYTES_PER_TOKEN

    def wanted(self) -> None:
        """Somebody reads the answer."""
        self._until = None

    def worth_reading(self) -> bool:
        """Nobody reads it any more: whether reading on to the provider's own count costs less than it may correct.

        An estimate may be wrong by half of the output (a token is two to six bytes on average over an answer) and,
        until it was reported, by the whole prompt, of which most may have been cached.
        """
        if self._until is None:
            self._until = self.written + max(CHEAP, self.written // 2) + self._output_for(self._prompt)
        return self.written <= self._until

    def _output_for(self, prompt: int) -> int:
        """How many output tokens cost as much as a prompt."""
        if not prompt:
            return 0
        million = self._tariff.price(Usage(output=TOKENS_PER_PRICE_UNIT))
        return self._tariff.price(Usage(uncached_input=prompt)) * TOKENS_PER_PRICE_UNIT // max(1, million)

    def _report(self, usage: ReportedUsage) -> None:
        """Take the provider's own count so far. It stops an answer only when more content comes after it."""
        output = usage.output_tokens or 0
        if not self._rule.reasoning_inside_output:
            output += usage.reasoning_tokens or 0
        if usage.input_tokens is not None:
            self._prompt = 0
        if not self._reported <= output <= MOST_TOKENS:
            return
        if output > self._reported:
            self._reported = output
            self._pieces = self._bytes = self._said = 0
        prompt = (usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens)
        if prompt != self._input:
            self._input = prompt
            known = normalise(self._rule, usage)._replace(output=0, reasoning=0, cost_nano=None)
            self._limit = self._tariff.room(known, self._held, most=self._limit)
