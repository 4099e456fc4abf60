"""Whatever the OpenAPI document lets somebody send, or forbids, is answered with a status it names, and no 5xx.

Everybody asks: nobody, a key, people in every role, operators, one of them in the place of a person. Places in paths
hold ids of things that are there every other time.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.conftest import running_gateway
from tests.fuzzed_house import ADMIN, KEY, NOBODY, OWNER, RUNNING, Fuzzed, fuzzed_house

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
USUAL = 3
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", str(USUAL)))
"""For each operation and each of those who may do most; the others, what is forbidden, and other names get a third."""
MOST = (KEY, OWNER)
ALIASES = ("/openai/", "/anthropic/", "/genai/", "/api/", "/v1/auth/keys", "/v1/device/")
FIRST_ERROR_OF_OURS = 500
AT_THE_DOOR = frozenset({401, 403, 429})
CHECKS = [response_schema_conformance, content_type_conformance]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """A gateway of its own: what is tried here uses up what others may try."""
    bounds = {"RATE_LIMIT_PER_MINUTE": "100000000", "TRUSTED_PROXY_HOPS": "1"}
    with running_gateway(tmp_path_factory.mktemp("fuzzed"), **bounds) as running, fuzzed_house(running) as house:
        yield house


@dataclass
class Walk:
    """Whether anybody was let in, by operation, and which answers the document does not name."""

    house: Fuzzed
    let_in: defaultdict[str, bool] = field(default_factory=lambda: defaultdict(bool))
    wrong: list[str] = field(default_factory=list)

    def operation(self, operation: Any) -> None:
        """Everybody asks whom it makes a difference for."""
        some, raw = max(1, EXAMPLES // 3), operation.definition.raw
        alias, public = _is_alias(operation.path), raw.get("security") == []
        most: tuple[str, ...] = MOST
        others = self.house.callers
        if raw.get("x-scope", "").startswith("operator:"):
            most, others = (ADMIN,), (*RUNNING, OWNER, NOBODY)
        for caller in most if alias or public else others:
            self._right(operation, caller, EXAMPLES if caller in most and not alias else some)
        for caller in most if "requestBody" in raw and not alias else ():
            self._send(operation, self.house.headers(caller), some, generation_mode=GenerationMode.NEGATIVE)

    def _right(self, operation: Any, caller: str, examples: int) -> None:
        """What the document allows; ids in the path are of things that are there half of the time, if there is half."""
        names = frozenset(each["name"] for each in operation.definition.raw.get("parameters", ()))
        places = self.house.places(names) if names else {}
        anywhere = examples // 2 if places else examples
        for share, known in ((examples - anywhere, {"path_parameters": places}), (anywhere, {})):
            if share:
                self._send(operation, self.house.headers(caller), share, **known)

    def _send(self, operation: Any, headers: dict[str, str], examples: int, **how: Any) -> None:
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(**how))
        def send(case: Any) -> None:
            answer = case.call(headers=headers, timeout=30)
            self.let_in[operation.label] |= not _turned_away(answer)
            documented = operation.definition.raw["responses"]
            if answer.status_code >= FIRST_ERROR_OF_OURS or str(answer.status_code) not in documented:
                self.wrong.append(f"{operation.label}: {answer.status_code} {answer.text[:200]} for {case.body!r:.200}")
            else:
                case.validate_response(answer, checks=CHECKS)

        send()


def _is_alias(path: str) -> bool:
    """Whether it is another name of an operation, whose tries are counted with those of the first."""
    return path.startswith(ALIASES)


def _turned_away(answer: Any) -> bool:
    """Whether somebody was not let in, as who tells a wrong password was."""
    return answer.status_code in AT_THE_DOOR and '"invalid_credentials"' not in answer.text


def test_every_answer_is_one_the_document_names(fuzzed: Fuzzed) -> None:
    schema: Any = schemathesis.openapi.from_url(f"{fuzzed.gateway.base_url}/v1/openapi.json")
    schema.config.update(base_url=fuzzed.gateway.base_url)
    walk = Walk(fuzzed)
    for result in schema.get_all_operations():
        walk.operation(result.ok())
    assert len(walk.let_in) > 150
    assert not walk.wrong, "\n".join(walk.wrong)
    untried = [label for label, let_in in walk.let_in.items() if not let_in and not _is_alias(label.split()[1])]
    assert not untried, "nobody was let in, so nothing of these was tried"
