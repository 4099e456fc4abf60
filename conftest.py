"""Rules for every test: no sockets unless marked `system` (then loopback only), nothing of the real environment."""

import os

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
OWN_VARIABLES = ("MONKEY_CODER_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GROQ_", "XAI_", "PERPLEXITY_", "MOONSHOT_")
KEPT_VARIABLES = ("MONKEY_CODER_DATA",)

settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")
"""How long a case takes depends on who else is at work on the machine; the benchmarks measure speed."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close the network to unit tests; leave loopback to system tests."""
    if item.get_closest_marker("system"):
        enable_socket()
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or base URL of the developer's own must never reach a test."""
    for name in os.environ:
        if name.startswith(OWN_VARIABLES) and name not in KEPT_VARIABLES:
            monkeypatch.delenv(name)
