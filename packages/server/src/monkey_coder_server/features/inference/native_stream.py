"""The native event stream: `start`, `progress`, `delta`…, then `complete` or `error`, one `data:` line each."""

from collections.abc import Sequence

import msgspec

from monkey_coder_protocol.events import StreamError, StreamEvent, StreamProgress
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.stream_events import Event, RefusalDelta, TextDelta, ThinkingDelta
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.replay import text_of
from monkey_coder_server.features.inference.running import Opening, Run, Step
from monkey_coder_server.ports.ledger import Replay
from monkey_coder_server.web.problem import NativeProblems
from monkey_coder_server.web.sse import EventWriter, data_frame

WATCH_SECONDS = 60.0
"""Longest sleep; new events, the end and a hang-up wake the writer at once."""


class NativeStream:
    """Writes one run. The last event carries result, cost and receipt; it leaves when the charge is on disk.

    `start` is what the first event tells; an error names `request_id`.
    """

    def __init__(self, run: Run[Outcome], start: dict[str, str], request_id: str, problems: NativeProblems) -> None:
        self._run = run
        self._start = start
        self._request_id = request_id
        self._problems = problems
        self._told_opening = False
        self._told_thinking = False

    async def write(self, writer: EventWriter) -> None:
        """Write everything; a caller who hangs up is noticed, and the run told so."""
        run = self._run
        writer.when_gone(run.leave)

        def straight(events: Sequence[Event]) -> bool:
            if not writer.free:
                return False
            if frames := self._opening() + self._said(events):
                writer.write_now(frames)
            return True

        try:
            await writer.write(data_frame(StreamEvent(type="start", data=self._start)) + self._opening())
            while not writer.gone:
                events = await run.take(WATCH_SECONDS, straight)
                if not events and run.ended:
                    await writer.write(_done(run.steps()) + await self._end())
                    return
                frames = _done(run.steps()) + self._opening() + self._said(events)
                if frames:
                    await writer.write(frames)
        finally:
            run.leave()

    def _opening(self) -> bytes:
        """Once it is known: who answers."""
        opening = self._run.opening
        if opening is None or self._told_opening:
            return b""
        self._told_opening = True
        return _progress("answering", opening)

    def _said(self, events: Sequence[Event]) -> bytes:
        """What came since the last time, as one delta."""
        text = "".join(event.text for event in events if isinstance(event, (TextDelta, RefusalDelta)))
        frames = b""
        if not self._told_thinking and any(isinstance(event, ThinkingDelta) for event in events):
            self._told_thinking = True
            frames = _progress("thinking", self._run.opening)
        return frames + _delta(text) if text else frames

    async def _end(self) -> bytes:
        try:
            outcome = await self._run.result()
        except GatewayError as failed:
            body = self._problems.body(failed, self._request_id)
            return data_frame(StreamEvent(type="error", error=StreamError(body.message, body.error_code)))
        complete = data_frame(StreamEvent(type="complete", data=msgspec.Raw(outcome.body)))
        if not isinstance(outcome, Replay):
            return complete
        text = text_of(outcome)
        return _delta(text) + complete if text else complete


def _delta(text: str) -> bytes:
    return data_frame(StreamEvent(type="delta", data=text))


def _done(steps: list[Step]) -> bytes:
    """What was done before there is an answer."""
    told = [StreamProgress(step.name, metadata=dict(step.facts)) for step in steps]
    return b"".join([data_frame(StreamEvent(type="progress", progress=each)) for each in told])


def _progress(step: str, opening: Opening | None) -> bytes:
    metadata = msgspec.UNSET if opening is None else {"provider": opening.provider, "model": opening.model}
    return data_frame(StreamEvent(type="progress", progress=StreamProgress(step, metadata=metadata)))
