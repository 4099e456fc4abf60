"""`RATE_LIMIT_…`: what bounds the whole gateway, each address, and a key that names no rate."""

from pathlib import Path

import pytest

from monkey_coder_server.bootstrap.house_rates import house_rates
from monkey_coder_server.domain.rates import HouseRates, Measure, SetRate
from monkey_coder_server.settings import SettingsError, load

USUAL = SetRate(Measure.REQUESTS, 600, "RATE_LIMIT_PER_MINUTE")


def test_nothing_but_the_usual_rate_of_a_key_is_bounded_until_it_is_set(tmp_path: Path) -> None:
    assert house_rates(load({}, folder=tmp_path)) == HouseRates(USUAL)


def test_every_figure_that_is_set_names_its_variable(tmp_path: Path) -> None:
    given = {
        "RATE_LIMIT_PER_MINUTE": "7",
        "RATE_LIMIT_GATEWAY_CONCURRENCY": "500",
        "RATE_LIMIT_ADDRESS_REQUESTS": "60",
        "RATE_LIMIT_ADDRESS_TOKENS": "0",
    }
    assert house_rates(load(given, folder=tmp_path)) == HouseRates(
        key=USUAL._replace(allowed=7),
        gateway=(SetRate(Measure.CONCURRENCY, 500, "RATE_LIMIT_GATEWAY_CONCURRENCY"),),
        address=(SetRate(Measure.REQUESTS, 60, "RATE_LIMIT_ADDRESS_REQUESTS"),),
    )


@pytest.mark.parametrize("name", ["RATE_LIMIT_GATEWAY_TOKENS", "RATE_LIMIT_ADDRESS_CONCURRENCY"])
@pytest.mark.parametrize("value", ["-1", "many", "1000000000"])
def test_a_broken_figure_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=name):
        load({name: value}, folder=tmp_path)


def test_what_is_set_is_shown_in_a_line(tmp_path: Path) -> None:
    assert str(load({}, folder=tmp_path).rates) == "none"
    given = {"RATE_LIMIT_GATEWAY_TOKENS": "5", "RATE_LIMIT_ADDRESS_REQUESTS": "6"}
    assert str(load(given, folder=tmp_path).rates) == "RATE_LIMIT_GATEWAY_TOKENS=5, RATE_LIMIT_ADDRESS_REQUESTS=6"
