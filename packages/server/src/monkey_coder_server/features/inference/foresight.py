"""What a request will probably take at each model: its prompt, the part the provider has cached, its answer.

Learnt from every request this process settled, and from those that were stored before it started.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from monkey_coder_server.domain import routing_priors
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.experience import Experience
from monkey_coder_server.domain.likeness import Circles, Lesson, Likeness, narrow, wide
from monkey_coder_server.domain.prompt_tokens import PromptSize
from monkey_coder_server.domain.tokenizers import calibration
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.plan import Plan
from monkey_coder_server.ports.record import Record

_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""
FRESH = 200
"""Lessons that wait to be stored; where requests come faster, the newest stand for all."""
LEARNT_TOGETHER = 64
"""Requests that wait to be learnt from, half a millisecond of work; whoever asks has the rest learnt first."""
_INPUT, _READ, _WRITTEN, _ANSWER, _THOUGHT = range(5)
"""Places among a lesson's figures."""
_kind = attrgetter("kind")


class Asked(Record, frozen=True):
    """A request to be foretold."""

    task_type: str
    like: Likeness
    size: PromptSize

    @classmethod
    def of(cls, job: Job, plan: Plan) -> "Asked":
        """Of a planned job."""
        like = Likeness.of(job.principal.account_id, plan.shape, job.max_tokens, job.request, plan.size)
        return cls(job.wishes.task_type, like, plan.size)


class Expected(NamedTuple):
    """Tokens to expect of a model. `seen`: how many answers to requests like it the answer's figure rests on."""

    usage: Usage
    seen: int


class _Took(Record, frozen=True):
    """A settled request that is to be learnt from."""

    request_id: str
    asked: Asked
    card: ModelCard
    usage: Usage


class Foresight:
    """Learns from settled requests; foretells in the words of a price: disjoint buckets of tokens."""

    def __init__(self) -> None:
        self._known = Experience()
        self._unlearnt: list[_Took] = []
        self._fresh: deque[tuple[str, Lesson]] = deque(maxlen=FRESH)

    def served(self, served: Served, asked: Asked) -> None:
        """Learn from a settled request; one that its caller left teaches nothing, nor does what was only estimated."""
        usage = served.usage
        if served.client_gone or usage.estimated or not usage.input:
            return
        self._unlearnt.append(_Took(served.job.request_id, asked, served.route.card, usage))
        if len(self._unlearnt) >= LEARNT_TOGETHER:
            self._learn_all()

    def learn(self, lessons: Iterable[Lesson]) -> None:
        """Learn what requests took at their models, the oldest first."""
        for _, each in groupby(lessons, key=_kind):
            alike = list(each)
            figures = [lesson.figures for lesson in alike]
            self._known.learn(wide(alike[0].likeness, alike[0].model), figures)
            for lesson, own in zip(alike, figures, strict=True):
                self._known.learn(narrow(lesson.likeness, lesson.model), (own,))

    def fresh(self) -> Mapping[str, Lesson]:
        """What was learnt since this was asked before, by request."""
        self._learn_all()
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
        self._learn_all()
        assumed = routing_priors.expected_answer(task_type)
        everybody = self._known.foretell((shape, (shape, size)), assumed, _ANSWER)
        found: list[int | None] = []
        for card in cards:
            own = ((card.name, shape), (card.name, shape, size))
            answer = self._known.foretell(own, everybody.value, _ANSWER)
            if not answer.seen and not everybody.seen:
                found.append(None)
                continue
            thought = self._known.foretell(own, routing_priors.expected_thought(card, assumed), _THOUGHT)
            usual, limit = max(1, round(answer.value + thought.value)), card.max_output_tokens
            found.append(min(usual, limit if most is None else min(most, limit)))
        return found

    def expect(self, asked: Asked, card: ModelCard, *, most_output: int) -> Expected:
        """What the request will probably take at this model, whose answer is bounded by `most_output` tokens."""
        self._learn_all()
        own = Circles.of(asked.like, card.name)
        prompt = round(_guessed(asked, card) * self._known.foretell(own.prompt, 1.0, _INPUT).value)
        read = round(prompt * self._known.foretell(own.prompt, 0.0, _READ).value)
        written = min(prompt - read, round(prompt * self._known.foretell(own.prompt, 0.0, _WRITTEN).value))
        assumed = routing_priors.expected_answer(asked.task_type)
        answer = self._known.foretell(own.answer, assumed, _ANSWER)
        thought = self._known.foretell(own.thought, routing_priors.expected_thought(card, assumed), _THOUGHT).value
        output = min(most_output, round(answer.value + thought))
        usage = Usage(
            uncached_input=prompt - read - written,
            cache_read=read,
            cache_write_5m=written,
            output=output,
            reasoning=min(output, round(thought)),
        )
        return Expected(usage, answer.seen)

    def _learn_all(self) -> None:
        """Learn what waits: one after another costs less than each between requests."""
        unlearnt, self._unlearnt = self._unlearnt, []
        lessons = [lesson_of(took.asked, took.card, took.usage) for took in unlearnt]
        self.learn(lessons)
        self._fresh.extend([(took.request_id, lesson) for took, lesson in zip(unlearnt, lessons, strict=True)])


def lesson_of(asked: Asked, card: ModelCard, usage: Usage) -> Lesson:
    """What is to be learnt of a request that took this at a model."""
    written, answer = usage.cache_write_5m + usage.cache_write_1h, usage.output - usage.reasoning
    taken = (usage.input, usage.cache_read, written, answer, usage.reasoning)
    return _new(Lesson, (asked.like, card.name, _guessed(asked, card), *taken))


def _guessed(asked: Asked, card: ModelCard) -> int:
    return asked.size.expected_by(calibration(card.provider, card.model))
