"""The synchronous client: a thin shell over httpx2; what it says and understands is decided elsewhere."""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self, TypeVar, Unpack

import httpx2

from monkey_coder import _options, _requests, _responses, errors
from monkey_coder._accounts import Auth, Keys
from monkey_coder._alerts import WithAlerts
from monkey_coder._factors import Mfa
from monkey_coder._organizations import Organizations
from monkey_coder._payments import Payments
from monkey_coder._plans import Plans
from monkey_coder._requests import Call, Request, TaskOptions
from monkey_coder._retry import RetryPolicy, retry_delay
from monkey_coder._stream import StreamAssembler
from monkey_coder._usage import Usage
from monkey_coder.results import Execution
from monkey_coder.verification import Verification
from monkey_coder.verified_task import ANSWERS, VerifiedRound, VerifiedTask
from monkey_coder_protocol import billing, catalog
from monkey_coder_protocol.events import StreamEvent
from monkey_coder_protocol.execute import ExecuteRequest

T = TypeVar("T")


class Client(WithAlerts):
    """A connection to one gateway. Use it as a context manager or call `close()`; safe to share between threads.

    What is not given comes from the environment and the configuration files (see `monkey_coder.settings`).
    Every method raises `MonkeyCoderError`; all times are seconds.
    """

    def __init__(  # noqa: PLR0913  # each keyword is one thing a caller may want to change
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        connect_timeout: float = 3.0,
        idle_timeout: float = 60.0,
        retry: RetryPolicy | None = None,
        user_agent: str | None = None,
        http_client: httpx2.Client | None = None,
        on_response: Callable[[_responses.ResponseInfo], None] | None = None,
        on_retry: Callable[[_options.RetryNotice], None] | None = None,
    ) -> None:
        self._options = _options.client_options(
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            connect_timeout=connect_timeout,
            idle_timeout=idle_timeout,
            retry=retry or RetryPolicy(),
            user_agent=user_agent,
            on_response=on_response,
            on_retry=on_retry,
        )
        self._http = http_client or httpx2.Client(follow_redirects=False)
        self._owns_http = http_client is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless `http_client` was given."""
        if self._owns_http:
            self._http.close()

    def with_options(self, *, timeout: float | None = None, max_retries: int | None = None) -> Self:
        """The same client, over the same connections, with another total time or number of retries."""
        other = object.__new__(type(self))
        options = self._options
        retry = options.retry if max_retries is None else replace(options.retry, max_retries=max_retries)
        other._options = replace(options, retry=retry, timeout=options.timeout if timeout is None else timeout)
        other._http, other._owns_http = self._http, False
        return other

    @property
    def base_url(self) -> str:
        """The gateway's address."""
        return self._options.base_url

    @property
    def keys(self) -> Keys:
        """API keys: list, create, revoke."""
        return Keys(self)

    @property
    def auth(self) -> Auth:
        """The account: register, login, refresh, logout, status."""
        return Auth(self)

    @property
    def mfa(self) -> Mfa:
        """Second factors of the person whose access token this client carries."""
        return Mfa(self)

    @property
    def payments(self) -> Payments:
        """Buying credit and giving it back."""
        return Payments(self)

    @property
    def plans(self) -> Plans:
        """Plans, the account's own, and its invoices."""
        return Plans(self)

    @property
    def organizations(self) -> Organizations:
        """Organizations with their people, teams, projects, limits and rules."""
        return Organizations(self)

    def execute(self, task: str | ExecuteRequest, **options: Unpack[TaskOptions]) -> Execution:
        """Do a task and wait for the whole answer."""
        return self.call(_requests.execution(_task(task, options)))

    def stream(self, task: str | ExecuteRequest, **options: Unpack[TaskOptions]) -> "Stream":
        """Do a task and follow it; use the result as a context manager, leaving it cancels the task."""
        request = _requests.stream(_task(task, options))
        return self._with_retries(request, self._open)

    def execute_verified(
        self, prompt: str, check: Callable[[Execution], Verification], **options: Unpack[TaskOptions]
    ) -> VerifiedTask:
        """Ask until an answer passes your check, cheapest model first; `max_cost` is for all together.

        At most `answers` are asked for, 3 when left out. The gateway is told how each ended, where that succeeds.
        Raises for the first answer; what prevents a later one is `stopped`.
        """
        task = VerifiedTask(prompt, options, options.get("answers", ANSWERS), options.get("verifier", "tests"))
        while not task.over:
            words, said = task.request()
            try:
                execution = self.execute(words, **said)
            except errors.MonkeyCoderError as error:
                if not task.rounds:
                    raise
                task.stopped = error
            else:
                task.rounds.append(VerifiedRound(execution, check(execution)))
        for request_id, outcome in task.untold():
            with suppress(errors.MonkeyCoderError):
                self.feedback(request_id, outcome, verifier=task.verifier)
        return task

    def quote(self, task: str | ExecuteRequest, **options: Unpack[TaskOptions]) -> billing.Quote:
        """What a task would cost, route by route; `quote_id` locks the price."""
        return self.call(_requests.quote(_task(task, options)))

    def router_debug(self, task: str | ExecuteRequest, **options: Unpack[TaskOptions]) -> dict[str, Any]:
        """Where a task would go, and why."""
        return self.call(_requests.router_debug(_task(task, options)))

    def models(self, *, provider: str | None = None) -> catalog.ModelList:
        """The models this key can ask."""
        return self.call(_requests.models(provider))

    def providers(self) -> catalog.ProviderList:
        """The providers behind the gateway."""
        return self.call(_requests.providers())

    def capabilities(self) -> dict[str, Any]:
        """What this gateway can do."""
        return self.call(_requests.capabilities())

    def health(self) -> catalog.Health:
        """Whether the gateway serves."""
        return self.call(_requests.health())

    @property
    def usage(self) -> Usage:
        """What was used: call it for a report; its pages, files and the forecast are below it."""
        return Usage(self)

    def balance(self) -> billing.Balance:
        """The wallet."""
        return self.call(_requests.balance())

    def receipts(self, receipt_id: str) -> billing.Receipt:
        """One signed receipt; `monkey_coder.receipts.verify` checks it."""
        return self.call(_requests.receipt(receipt_id))

    def receipt_page(  # each keyword is one way to choose
        self,
        *,
        start: str | None = None,
        end: str | None = None,
        key_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> billing.ReceiptPage:
        """Receipts, oldest first; dates as `YYYY-MM-DD`. `after` is the `next` of the page before."""
        return self.call(_requests.receipt_page(start=start, end=end, key_id=key_id, limit=limit, after=after))

    def statement(self, month: str | None = None) -> billing.Statement:
        """What a UTC month (`YYYY-MM`, this one when left out) came to: the sum of its receipts."""
        return self.call(_requests.statement(month))

    def receipt_keys(self) -> billing.ReceiptKeys:
        """The public keys that sign receipts."""
        return self.call(_requests.receipt_keys())

    def feedback(
        self,
        request_id: str,
        outcome: _requests.Outcome,
        *,
        score: float | None = None,
        verifier: _requests.Verifier | None = None,
    ) -> dict[str, Any]:
        """Tell what became of an answer; routing learns from it. `score` is 0 to 1, `verifier` what tested it."""
        report = billing.Feedback(request_id=request_id, outcome=outcome, score=score, verifier=verifier)
        return self.call(_requests.feedback(report))

    def call(self, call: Call[T]) -> T:
        """Send one prepared call, with retries, and read its answer."""
        return call.parse(self._with_retries(call.request, self._deliver))

    def _with_retries(self, request: Request, once: Callable[[Request, float], T]) -> T:
        options = self._options
        prepared = _requests.with_identity(
            request, api_key=options.api_key, user_agent=options.user_agent, idempotency_key=uuid.uuid4().hex
        )
        begin, attempt = time.monotonic(), 0
        deadline = begin + options.total(request)
        while True:
            attempt += 1
            try:
                return once(prepared, deadline)
            except errors.MonkeyCoderError as error:
                now = time.monotonic()
                delay = retry_delay(options.retry, error, attempt=attempt, elapsed=now - begin, jitter=random.random())
                if delay is None or now + delay >= deadline:
                    raise
                if options.on_retry:
                    options.on_retry(_options.RetryNotice(error, attempt, delay))
                time.sleep(delay)

    def _deliver(self, request: Request, deadline: float) -> _responses.Reply:
        response = self._send(request, deadline)
        try:
            return self._whole(response, request, deadline)
        except httpx2.HTTPError as error:
            raise _options.network_error(error, self._options) from error
        finally:
            response.close()

    def _open(self, request: Request, deadline: float) -> "Stream":
        response = self._send(request, deadline)
        stream = None
        try:
            if response.status_code != 200:
                self._whole(response, request, deadline)
            headers = _options.event_stream_headers(response.headers)
            pieces = _pieces(response, deadline, late=_options.out_of_time(self._options, request))
            stream = Stream(response, pieces, StreamAssembler(headers))
            stream.wait_for_first()
        except httpx2.HTTPError as error:
            raise _options.network_error(error, self._options) from error
        finally:
            if stream is None or not stream.begun:
                response.close()
        return stream

    def _send(self, request: Request, deadline: float) -> httpx2.Response:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise _options.out_of_time(self._options, request)
        arguments = _options.httpx_arguments(self._options, request, remaining=remaining)
        try:
            response = self._http.send(self._http.build_request(**arguments), stream=True)
        except httpx2.HTTPError as error:
            raise _options.network_error(error, self._options) from error
        if self._options.on_response:
            headers = _options.lower_headers(response.headers)
            self._options.on_response(
                _responses.response_info(request.method, request.path, status=response.status_code, headers=headers)
            )
        return response

    def _whole(self, response: httpx2.Response, request: Request, deadline: float) -> _responses.Reply:
        body = bytearray()
        for piece in _pieces(response, deadline, late=_options.out_of_time(self._options, request)):
            body += piece
            if len(body) > _options.MAX_ANSWER_BYTES:
                raise _options.too_long()
        reply = _responses.Reply(response.status_code, _options.lower_headers(response.headers), bytes(body))
        if not 200 <= reply.status < 300:
            raise _responses.error_from(reply)
        return reply


class Stream:
    """The events of one task as they come. `final()` gives the whole response, `text` what is there so far."""

    def __init__(self, response: httpx2.Response, pieces: Iterator[bytes], assembler: StreamAssembler) -> None:
        self._response = response
        self._pieces = pieces
        self._assembler = assembler
        self._ready: list[StreamEvent] = []
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[StreamEvent]:
        return self

    def __next__(self) -> StreamEvent:
        """The next event. Raises the typed error of an `error` event, `StreamInterruptedError` after a cut."""
        try:
            while not self._ready and not self._ended:
                self._read()
        except httpx2.HTTPError as error:
            self.close()
            raise self._assembler.interrupted(str(error)) from error
        except BaseException:
            self.close()
            raise
        if not self._ready:
            self.close()
            if self._assembler.final is None:
                raise self._assembler.interrupted()
            raise StopIteration
        event = self._ready.pop(0)
        if failure := self._assembler.failure_of(event):
            self.close()
            raise failure
        return event

    @property
    def begun(self) -> bool:
        """Whether an event has come."""
        return bool(self._ready)

    @property
    def text(self) -> str:
        """The answer's text so far."""
        return self._assembler.text

    @property
    def request_id(self) -> str | None:
        """Names the request at the gateway."""
        return self._assembler.request_id

    def final(self) -> Execution:
        """Read to the end and give the whole response."""
        for _ in self:
            pass
        if self._assembler.final is None:
            raise self._assembler.interrupted("it was closed")
        return self._assembler.final

    def wait_for_first(self) -> None:
        """Wait for the first event: until then nothing is lost by trying again. Raises `NetworkError`."""
        while not self._ready and not self._ended:
            self._read()
        if not self._ready:
            raise errors.NetworkError("The stream ended before its first event.", request_id=self.request_id)

    def close(self) -> None:
        """Hang up. The gateway stops the task and charges what was delivered."""
        self._ended = True
        self._response.close()

    def _read(self) -> None:
        piece = next(self._pieces, None)
        self._ready += self._assembler.finish() if piece is None else self._assembler.feed(piece)
        self._ended = piece is None or self._assembler.final is not None


def _task(task: str | ExecuteRequest, options: TaskOptions) -> ExecuteRequest:
    return _requests.build_task(task, options, task_id=str(uuid.uuid4()))


def _pieces(response: httpx2.Response, deadline: float, *, late: errors.RequestTimeoutError) -> Iterator[bytes]:
    for piece in response.iter_bytes():
        yield piece
        if time.monotonic() >= deadline:
            raise late
