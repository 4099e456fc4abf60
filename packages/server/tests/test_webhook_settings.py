"""`WEBHOOK_HOSTS`: hosts with their ports, or no start."""

from pathlib import Path

import pytest

from monkey_coder_server.settings import SettingsError, load


@pytest.mark.parametrize(
    ("given", "hosts"),
    [("", set()), ("127.0.0.1:9", {"127.0.0.1:9"}), ("Hooks.internal:8080, a:1 ,", {"hooks.internal:8080", "a:1"})],
)
def test_hosts(tmp_path: Path, given: str, hosts: set[str]) -> None:
    assert load({"WEBHOOK_HOSTS": given}, folder=tmp_path).webhook_hosts == hosts


@pytest.mark.parametrize("given", ["localhost", "*:80", "http://a:1", "a:0", "a:b", "a:1/x", "a:123456"])
def test_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_HOSTS"):
        load({"WEBHOOK_HOSTS": given}, folder=tmp_path)
