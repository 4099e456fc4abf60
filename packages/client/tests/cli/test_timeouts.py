"""Who keeps --timeout: the gateway for a task, this side for everything else."""

import httpx2
import pytest

from monkey_coder.cli.session import Session
from packages.client.tests.conftest import KEY


@pytest.mark.parametrize(("for_task", "total"), [(True, None), (False, 5.0)])
def test_a_task_is_not_given_up_before_the_gateway_says_that_it_was_too_slow(
    monkeypatch: pytest.MonkeyPatch, *, for_task: bool, total: float | None
) -> None:
    monkeypatch.setenv("MONKEY_CODER_API_KEY", KEY)
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))) as http:
        session = Session(http_client=http)
        session.flags["timeout"] = 5.0
        with session.client(for_task=for_task) as client:
            assert client._options.timeout == total
