"""What is known of the data a provider is sent: what the operator agreed, else what it says of its own address."""

from pathlib import Path

import pytest

from monkey_coder_server.bootstrap.offered import data_facts
from monkey_coder_server.domain.model_facts import UNKNOWN, DataPolicy
from monkey_coder_server.providers import google, openai
from monkey_coder_server.settings import Settings, SettingsError, load

OPENAI, GOOGLE = openai.PROVIDER, google.PROVIDER


def settings(tmp_path: Path, agreed: str = "") -> Settings:
    return load({"PROVIDER_DATA_POLICIES": agreed}, folder=tmp_path)


def test_what_a_provider_says_holds_for_its_own_address_and_its_simulator(tmp_path: Path) -> None:
    plain = settings(tmp_path)
    assert data_facts(OPENAI, plain, f"{OPENAI.base_url}/", simulated=False) is OPENAI.data
    assert data_facts(OPENAI, plain, "http://127.0.0.1:9", simulated=True) is OPENAI.data
    assert data_facts(OPENAI, plain, "https://proxy.example/v1", simulated=False) is UNKNOWN


def test_what_an_operator_agreed_stands_in_its_place(tmp_path: Path) -> None:
    agreed = settings(tmp_path, "google=no_training+zero_retention, openai=")
    facts = data_facts(GOOGLE, agreed, "https://proxy.example", simulated=False)
    assert facts.policies == {DataPolicy.NO_TRAINING, DataPolicy.ZERO_RETENTION}
    assert facts.source == "setting PROVIDER_DATA_POLICIES"
    assert not data_facts(OPENAI, agreed, OPENAI.base_url, simulated=False).policies


@pytest.mark.parametrize("given", ["openai", "nobody=no_training", "openai=secret", "=no_training"])
def test_what_cannot_be_read_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="PROVIDER_DATA_POLICIES"):
        settings(tmp_path, given)
