"""A package whose modules can be imported without what it gathers, until somebody asks for that."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monkey_coder_server.bootstrap.deferring import defer

NAMES = ("gathering_all", "gathering_all.small", "gathering_all.large")


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "gathering_all"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from gathering_all.large import much\nfrom gathering_all.small import little\n"
    )
    (folder / "small.py").write_text("little = 1\n")
    (folder / "large.py").write_text("much = 1000\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in NAMES:
        sys.modules.pop(name, None)


def test_a_module_is_imported_without_the_rest_of_its_package() -> None:
    defer({"gathering_all": {}})
    from gathering_all.small import little  # type: ignore[import-not-found]  # it is made above

    assert little == 1
    assert "gathering_all.large" not in sys.modules


def test_what_the_package_gathers_is_there_when_it_is_asked_for() -> None:
    defer({"gathering_all": {}})
    from gathering_all import much  # type: ignore[import-not-found]  # it is made above

    assert much == 1000
    assert sys.modules["gathering_all"].little == 1
    assert not hasattr(sys.modules["gathering_all"], "another")


def test_a_module_is_found_as_the_packages_attribute() -> None:
    defer({"gathering_all": {}})
    import gathering_all

    assert gathering_all.large.much == 1000
    assert "gathering_all.small" not in sys.modules


def test_what_modules_of_the_package_ask_of_it_is_taken_from_where_it_is() -> None:
    defer({"gathering_all": {"little": "gathering_all.small"}})
    from gathering_all import little

    assert little == 1
    assert "gathering_all.large" not in sys.modules


def test_what_is_imported_already_stays_as_it_is() -> None:
    import gathering_all

    defer({"gathering_all": {}})
    assert sys.modules["gathering_all"] is gathering_all
    assert gathering_all.much == 1000


def test_a_package_that_is_not_there_is_missed_by_whoever_imports_it() -> None:
    defer({"nowhere_at_all": {}})
    assert "nowhere_at_all" not in sys.modules
