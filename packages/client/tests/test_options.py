"""How long each part of a call may take, and what a broken connection is called."""

import httpx2
import pytest

from monkey_coder import errors
from monkey_coder._options import ClientOptions, client_options, httpx_arguments, network_error
from monkey_coder._requests import Request
from monkey_coder._retry import RetryPolicy


@pytest.fixture
def options() -> ClientOptions:
    return client_options(
        api_key="mk-1",
        base_url="http://gw.test",
        timeout=None,
        connect_timeout=3.0,
        idle_timeout=60.0,
        retry=RetryPolicy(),
        user_agent=None,
        on_response=None,
        on_retry=None,
    )


@pytest.mark.parametrize(
    ("streaming", "remaining", "connect", "read"),
    [(True, 300.0, 3.0, 60.0), (True, 10.0, 3.0, 10.0), (False, 300.0, 3.0, 300.0), (False, 1.0, 1.0, 1.0)],
)
def test_a_stream_may_be_silent_for_the_idle_time_another_call_to_its_end(
    options: ClientOptions, streaming: bool, remaining: float, connect: float, read: float
) -> None:
    request = Request("POST", "/v1/execute", streaming=streaming)
    timeout = httpx_arguments(options, request, remaining=remaining)["timeout"]
    assert (timeout.connect, timeout.read, timeout.write) == (connect, read, remaining)


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (httpx2.ConnectTimeout("x"), errors.ConnectionFailedError, "No connection to http://gw.test within 3 s."),
        (httpx2.ConnectError("refused"), errors.ConnectionFailedError, "Cannot reach http://gw.test: refused."),
        (httpx2.ProxyError("407"), errors.ConnectionFailedError, "Cannot reach http://gw.test: 407."),
        (httpx2.ReadTimeout(""), errors.RequestTimeoutError, "http://gw.test was silent for too long."),
        (httpx2.ReadError(""), errors.NetworkError, "The connection to http://gw.test broke: ReadError."),
        (httpx2.RemoteProtocolError("cut"), errors.NetworkError, "The connection to http://gw.test broke: cut."),
    ],
)
def test_each_failure_of_the_network_has_its_name(
    options: ClientOptions, cause: httpx2.HTTPError, kind: type[errors.NetworkError], words: str
) -> None:
    found = network_error(cause, options)
    assert type(found) is kind
    assert str(found) == words
