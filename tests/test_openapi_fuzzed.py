"""Whatever the OpenAPI document lets somebody send, the gateway answers with a status the document names, and no 5xx.

Operations that are only another name of one are left out, unless `FUZZ_EXAMPLES` asks for more than the usual.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.conftest import RunningGateway, running_gateway

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]
USUAL = 3
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", str(USUAL)))
"""For each operation and each caller."""
ALIASES = ("/openai/", "/anthropic/", "/genai/", "/api/", "/v1/auth/keys", "/v1/device/")
FIRST_ERROR_OF_OURS = 500


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway of its own: what is tried here uses up what others may try."""
    with running_gateway(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running


def callers(gateway: RunningGateway) -> Mapping[str, dict[str, str]]:
    """Credentials by who sends them."""
    person = {"email": "fuzzer@example.com", "password": "several plain words together"}
    token = httpx2.post(f"{gateway.base_url}/v1/auth/register", json=person).json()["access_token"]
    return {"key": {"authorization": f"Bearer {gateway.api_key}"}, "person": {"authorization": f"Bearer {token}"}}


def operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        operation = result.ok()
        if EXAMPLES > USUAL or not operation.path.startswith(ALIASES):
            yield operation


def fuzz(operation: Any, headers: dict[str, str]) -> list[str]:
    """What was answered that the document does not name."""
    wrong: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = case.call(headers=headers, timeout=30)
        documented = operation.definition.raw["responses"]
        if answer.status_code >= FIRST_ERROR_OF_OURS or str(answer.status_code) not in documented:
            wrong.append(f"{operation.label}: {answer.status_code} {answer.text[:200]} for {case.body!r:.200}")
        else:
            case.validate_response(answer, checks=[response_schema_conformance])

    send()
    return wrong


def test_every_answer_is_one_the_document_names(fuzzed: RunningGateway) -> None:
    credentials = callers(fuzzed)
    schema = schemathesis.openapi.from_url(f"{fuzzed.base_url}/v1/openapi.json")
    schema.config.update(base_url=fuzzed.base_url)
    walked, wrong = 0, []
    for operation in operations(schema):
        for headers in credentials.values():
            wrong += fuzz(operation, headers)
        walked += 1
    assert walked > 60
    assert not wrong, "\n".join(wrong)
