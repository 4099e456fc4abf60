"""What a request will probably take at each model: its prompt, the part the provider has cached, its answer.

Learnt from every request this process settled; figures alone are kept, and of a request's words only a hash.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from monkey_coder_server.domain import routing_priors
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest, Text, ToolResult
from monkey_coder_server.domain.experience import Experience
from monkey_coder_server.domain.prompt_tokens import PromptSize
from monkey_coder_server.domain.tokenizers import calibration
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.plan import Plan

TAIL = 200
"""Characters at the end of a request that tell whether the same is asked again: files stand before the words."""


class Likeness(NamedTuple):
    """What is known of a request before it is served. `max_tokens` is the caller's own limit, None for none."""

    account_id: str
    task_type: str
    max_tokens: int | None
    request: ModelRequest
    size: PromptSize

    @classmethod
    def of(cls, job: Job, plan: Plan) -> "Likeness":
        """Of a planned job."""
        return cls(job.principal.account_id, job.wishes.task_type, job.max_tokens, job.request, plan.size)


class Expected(NamedTuple):
    """Tokens to expect of a model. `seen`: how many answers to requests like it the answer's figure rests on."""

    usage: Usage
    seen: int


class Foresight:
    """Learns from settled requests; foretells in the words of a price: disjoint buckets of tokens."""

    def __init__(self) -> None:
        self._inputs = Experience()
        self._reads = Experience()
        self._writes = Experience()
        self._answers = Experience()
        self._thoughts = Experience()

    def served(self, served: Served) -> None:
        """Learn from a settled request; one that its caller left teaches nothing."""
        if not served.client_gone:
            self.learn(Likeness.of(served.job, served.plan), served.route.card, served.usage)

    def learn(self, asked: Likeness, card: ModelCard, usage: Usage) -> None:
        """Learn what a request took at a model; what was only estimated teaches nothing."""
        if usage.estimated or not usage.input:
            return
        own = _Circles.of(asked, card)
        self._inputs.learn(own.prompt, usage.input / max(1, _calibrated(asked, card)))
        self._reads.learn(own.prompt, usage.cache_read / usage.input)
        self._writes.learn(own.prompt, (usage.cache_write_5m + usage.cache_write_1h) / usage.input)
        self._answers.learn(own.answer, usage.output - usage.reasoning)
        self._thoughts.learn(own.thought, usage.reasoning)

    def expect(self, asked: Likeness, card: ModelCard, *, most_output: int) -> Expected:
        """What the request will probably take at this model, whose answer is bounded by `most_output` tokens."""
        own = _Circles.of(asked, card)
        prompt = round(_calibrated(asked, card) * self._inputs.foretell(own.prompt, 1.0).value)
        read = round(prompt * self._reads.foretell(own.prompt, 0.0).value)
        written = min(prompt - read, round(prompt * self._writes.foretell(own.prompt, 0.0).value))
        assumed = routing_priors.expected_answer(asked.task_type)
        answer = self._answers.foretell(own.answer, assumed)
        thought = self._thoughts.foretell(own.thought, routing_priors.expected_thought(card, assumed)).value
        output = min(most_output, round(answer.value + thought))
        usage = Usage(
            uncached_input=prompt - read - written,
            cache_read=read,
            cache_write_5m=written,
            output=output,
            reasoning=min(output, round(thought)),
        )
        return Expected(usage, answer.seen)


class _Circles(NamedTuple):
    """The circles of likeness of a request at a model, widest first."""

    prompt: Sequence[Hashable]
    answer: Sequence[Hashable]
    thought: Sequence[Hashable]

    @classmethod
    def of(cls, asked: Likeness, card: ModelCard) -> "_Circles":
        account, model, shape, effort = asked.account_id, card.name, _shape(asked), _effort(asked)
        size = asked.size.bytes.bit_length()
        kind = (account, model, shape, effort, asked.max_tokens)
        same = (account, hash((shape, asked.max_tokens, _tail(asked.request))))
        return cls(
            prompt=(model, (model, shape), kind, (model, *same)),
            answer=(
                shape,
                (shape, size),
                (model, shape),
                (model, shape, size),
                kind,
                (*kind, size),
                same,
                (model, *same),
            ),
            thought=((model, effort), (model, shape), (model, shape, size), kind, (model, *same)),
        )


def _shape(asked: Likeness) -> Hashable:
    """What makes answers alike in length, whoever asks and whatever answers: the work, and what the answer may be."""
    request = asked.request
    last = request.messages[-1].parts if request.messages else ()
    after_results = any(isinstance(part, ToolResult) for part in last)
    return (asked.task_type, bool(request.tools), request.output is not None, after_results)


def _effort(asked: Likeness) -> Hashable:
    thinking = asked.request.reasoning
    return ("effort", None if thinking is None else (thinking.enabled, thinking.effort, thinking.budget_tokens))


def _tail(request: ModelRequest) -> str:
    last = request.messages[-1].parts if request.messages else ()
    return "".join(part.text for part in last if isinstance(part, Text))[-TAIL:]


def _calibrated(asked: Likeness, card: ModelCard) -> int:
    return asked.size.expected_by(calibration(card.provider, card.model))
