"""The constants of the prior are those that the catalogue and the public results give."""

import statistics

import pytest

from monkey_coder_server.domain.public_scores import BASE, SLOPE, SOLVED, fitted_line
from tools.priors import main, results_of_models


def test_every_result_is_of_a_model_of_the_catalogue() -> None:
    assert {each.name for each in results_of_models()} == set(SOLVED)


def test_the_line_is_the_fitted_one() -> None:
    models = results_of_models()
    line = fitted_line([(each.solved, each.claimed) for each in models])
    assert line == pytest.approx((BASE, SLOPE), abs=0.03)


def test_what_is_assumed_is_nearer_to_the_results_than_the_claims_are() -> None:
    models = results_of_models()
    solved = [each.solved for each in models]
    claims = statistics.correlation(solved, [each.claimed for each in models])
    assumed = statistics.correlation(solved, [each.assumed for each in models])
    assert 0.7 < claims < assumed


def test_the_table_names_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    told = capsys.readouterr().out
    assert all(name in told for name in SOLVED)
    assert "correlation" in told
