"""What a request will probably take at each model: its prompt, the part the provider has cached, its answer.

Learnt from every request this process settled, and from those that were stored before it started.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from monkey_coder_server.domain import routing_priors
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.experience import Experience
from monkey_coder_server.domain.likeness import Circles, Lesson, Likeness
from monkey_coder_server.domain.prompt_tokens import PromptSize
from monkey_coder_server.domain.tokenizers import calibration
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.plan import Plan

FRESH = 200
"""Lessons that wait to be stored; where requests come faster, the newest stand for all."""


class Asked(NamedTuple):
    """A request to be foretold."""

    task_type: str
    like: Likeness
    size: PromptSize

    @classmethod
    def of(cls, job: Job, plan: Plan) -> "Asked":
        """Of a planned job."""
        task_type = job.wishes.task_type
        like = Likeness.of(job.principal.account_id, task_type, job.max_tokens, job.request, plan.size)
        return cls(task_type, like, plan.size)


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
        self._fresh: deque[tuple[str, Lesson]] = deque(maxlen=FRESH)

    def served(self, served: Served, asked: Asked) -> None:
        """Learn from a settled request; one that its caller left teaches nothing, nor does what was only estimated."""
        if served.client_gone or served.usage.estimated or not served.usage.input:
            return
        lesson = lesson_of(asked, served.route.card, served.usage)
        self.learn(lesson)
        self._fresh.append((served.job.request_id, lesson))

    def learn(self, lesson: Lesson) -> None:
        """Learn what a request took at a model."""
        own = Circles.of(lesson.likeness, lesson.model)
        self._inputs.learn(own.prompt, lesson.input / max(1, lesson.guessed))
        self._reads.learn(own.prompt, lesson.cache_read / lesson.input)
        self._writes.learn(own.prompt, lesson.cache_write / lesson.input)
        self._answers.learn(own.answer, lesson.answer)
        self._thoughts.learn(own.thought, lesson.reasoning)

    def fresh(self) -> Mapping[str, Lesson]:
        """What was learnt since this was asked before, by request."""
        lessons = dict(self._fresh)
        self._fresh.clear()
        return lessons

    def usual_outputs(
        self, task_type: str, shape: str, size: int, cards: Iterable[ModelCard], *, most: int | None
    ) -> list[int | None]:
        """Tokens each model's answers to such requests usually have, thoughts included, within what it may write.

        None where none was seen. Where only other models answered such requests theirs count: else whoever was asked
        first would look cheaper than the rest, as real answers are shorter than stated ones. `shape` and `size` as in a
        `Likeness`; `most` is the caller's own limit.
        """
        assumed = routing_priors.expected_answer(task_type)
        everybody = self._answers.foretell((shape, (shape, size)), assumed)
        found: list[int | None] = []
        for card in cards:
            own = ((card.name, shape), (card.name, shape, size))
            answer = self._answers.foretell(own, everybody.value)
            if not answer.seen and not everybody.seen:
                found.append(None)
                continue
            thought = self._thoughts.foretell(own, routing_priors.expected_thought(card, assumed))
            usual, limit = max(1, round(answer.value + thought.value)), card.max_output_tokens
            found.append(min(usual, limit if most is None else min(most, limit)))
        return found

    def expect(self, asked: Asked, card: ModelCard, *, most_output: int) -> Expected:
        """What the request will probably take at this model, whose answer is bounded by `most_output` tokens."""
        own = Circles.of(asked.like, card.name)
        prompt = round(_guessed(asked, card) * self._inputs.foretell(own.prompt, 1.0).value)
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


def lesson_of(asked: Asked, card: ModelCard, usage: Usage) -> Lesson:
    """What is to be learnt of a request that took this at a model."""
    return Lesson(
        asked.like,
        card.name,
        _guessed(asked, card),
        usage.input,
        usage.cache_read,
        usage.cache_write_5m + usage.cache_write_1h,
        usage.output - usage.reasoning,
        usage.reasoning,
    )


def _guessed(asked: Asked, card: ModelCard) -> int:
    return asked.size.expected_by(calibration(card.provider, card.model))
