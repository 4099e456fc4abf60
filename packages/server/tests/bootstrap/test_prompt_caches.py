"""What an operator says of providers' caches reaches the request path."""

from pathlib import Path

import pytest

from monkey_coder_server.bootstrap.prompt_caches import prompt_cache_settings
from monkey_coder_server.settings import SettingsError, load


def test_they_are_on_unless_turned_off(tmp_path: Path) -> None:
    assert prompt_cache_settings(load({}, folder=tmp_path)).on
    assert prompt_cache_settings(load({"PROMPT_CACHES": "auto"}, folder=tmp_path)).on
    assert not prompt_cache_settings(load({"PROMPT_CACHES": "off"}, folder=tmp_path)).on
    with pytest.raises(SettingsError, match="PROMPT_CACHES"):
        load({"PROMPT_CACHES": "on"}, folder=tmp_path)


def test_all_processes_of_one_pepper_name_conversations_the_same(tmp_path: Path) -> None:
    one, same, other = (
        prompt_cache_settings(load({"KEY_PEPPER": word * 40}, folder=tmp_path)).secret for word in ("a1", "a1", "b2")
    )
    assert one == same != other
    assert b"a1" not in one
