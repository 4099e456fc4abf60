"""Steering: what can be written where, and what is refused."""

import pytest

from monkey_coder_server.sandbox import directives
from monkey_coder_server.sandbox.directives import NOTHING, Directive, DirectiveError, Script
from monkey_coder_server.sandbox.wire_errors import Refused
from packages.server.tests.sandbox.simulating import Simulated


def test_directives_are_taken_out_of_the_prompt() -> None:
    prompt, found = directives.taken_from("create [[sandbox fault=429 retry_after=1]] an API [[sandbox chunk=5]]")
    assert prompt == "create  an API"
    assert found == ("fault=429 retry_after=1", "chunk=5")
    assert directives.taken_from("a [[link]] stays") == ("a [[link]] stays", ())


def test_values_are_quoted_as_in_a_shell() -> None:
    assert directives.parsed("""text='two words' args='{"a": 1}' after=2""") == {
        "text": "two words",
        "args": '{"a": 1}',
        "after": "2",
    }


def test_directive_tokens_are_still_counted(simulated: Simulated) -> None:
    plain = simulated.prompt("openai", "create a REST API")
    steered = simulated.prompt("openai", "create a REST API [[sandbox chunk=9]]")
    assert steered.served.reply.text == plain.served.reply.text
    assert steered.served.usage.prompt > plain.served.usage.prompt


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("fault=explode", "unknown fault 'explode'"),
        ("colour=red", "unknown directive field colour"),
        ("after=soon", "directive field after"),
        ("fault", "without a value"),
        ("text='open", "cannot be read"),
        ("args=[1]", "must be a JSON object"),
    ],
)
def test_a_directive_nobody_can_follow_is_refused(simulated: Simulated, written: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        simulated.prompt("openai", f"hi [[sandbox {written}]]")
    assert message in caught.value.message


def test_a_filter_limits_a_directive_to_one_candidate() -> None:
    settings = {"fault": "500", "provider": "groq", "model": "openai/gpt"}
    hit = directives.applied(NOTHING, settings, provider="groq", model="openai/gpt-oss-120b")
    assert hit.fault == "500"
    assert directives.applied(NOTHING, settings, provider="openai", model="openai/gpt") is NOTHING
    assert directives.applied(NOTHING, settings, provider="groq", model="llama") is NOTHING


def test_a_rule_applies_as_often_as_it_says() -> None:
    script = Script.of({"rules": [{"provider": "openai", "contains": "API", "times": 2, "fault": "429"}]})
    assert script.directive("openai", "gpt-4o", "no match").fault == ""
    assert script.directive("groq", "gpt-4o", "an API").fault == ""
    assert [script.directive("openai", "gpt-4o", "an API").fault for _ in range(3)] == ["429", "429", ""]


def test_later_rules_win_field_by_field() -> None:
    script = Script.of({"rules": [{"fault": "500", "chunk": 3}, {"model": "gpt", "fault": "429"}]})
    directive = script.directive("openai", "gpt-4o", "")
    assert (directive.fault, directive.chunk) == ("429", 3)


@pytest.mark.parametrize("document", [[], {"rules": 1}, {"rules": [1]}, {"rules": [{"fault": "explode"}]}])
def test_a_script_that_is_none_is_refused(document: object) -> None:
    with pytest.raises(DirectiveError):
        Script.of(document)


def test_text_and_length_can_be_dictated(simulated: Simulated) -> None:
    answer = simulated.prompt("openai", "hi [[sandbox text='exactly this']]").served.reply
    assert (answer.text, answer.text_tokens) == ("exactly this", 3)
    assert simulated.prompt("openai", "hi [[sandbox output_tokens=1000]]").served.usage.output == 1_000
    assert simulated.prompt("xai", "hi [[sandbox reasoning_tokens=77]]").served.usage.reasoning == 77


def test_a_header_beats_a_rule_and_the_prompt_beats_the_header(simulated: Simulated) -> None:
    world = simulated.world
    world.script = Script.of({"rules": [{"fault": "500", "chunk": 1, "split": 2}]})
    ask = simulated.prompt("openai", "hi [[sandbox fault=empty]]").served.ask
    directive = world.directive(ask, '{"fault": "429", "chunk": 7}')
    assert (directive.fault, directive.chunk, directive.split) == ("empty", 7, 2)
    with pytest.raises(Refused, match="x-sandbox-script"):
        world.directive(ask, "{")


def test_defaults_stay_unless_changed() -> None:
    assert Directive(fault="429") != NOTHING
    with pytest.raises(DirectiveError):
        Directive(fault="explode")
