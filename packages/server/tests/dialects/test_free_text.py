"""A free-form tool keeps its grammar everywhere: natively at OpenAI, else in a function's words."""

import pytest

from monkey_coder_server.dialects.free_text import FREE_TEXT, description_with_grammar
from monkey_coder_server.domain.conversation import Grammar, ModelRequest, Tool, ToolChoice
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, groq, openai
from packages.server.tests.dialects.conversations import body, user

PATCH = Tool("apply_patch", "Edits files.", grammar=Grammar("lark", "start: LINE+"))
IN_WORDS = "Edits files.\n\nThe string `input` must match this lark grammar:\nstart: LINE+"
ASKED = ModelRequest((user("Fix it."),), tools=(PATCH,), tool_choice=ToolChoice("named", "apply_patch"))


def test_a_grammar_without_a_description_is_told_all_the_same() -> None:
    assert description_with_grammar(Tool("a")) is None
    assert description_with_grammar(Tool("a", "Says a.")) == "Says a."
    alone = description_with_grammar(Tool("a", grammar=Grammar("regex", "a+")))
    assert alone == "The string `input` must match this regex grammar:\na+"


def test_openai_is_told_the_grammar_as_it_is() -> None:
    sent = body(openai.PROVIDER, "gpt-4.1", ASKED)
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: LINE+"}}
    custom = {"name": "apply_patch", "description": "Edits files.", "format": grammar}
    assert sent["tools"] == [{"type": "custom", "custom": custom}]
    assert sent["tool_choice"] == {"type": "custom", "custom": {"name": "apply_patch"}}


def test_chat_providers_without_free_form_tools_are_told_a_function() -> None:
    sent = body(groq.PROVIDER, groq.PROVIDER.cards[0].model, ASKED)
    function = {"name": "apply_patch", "description": IN_WORDS, "parameters": FREE_TEXT}
    assert sent["tools"] == [{"type": "function", "function": function}]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "apply_patch"}}


@pytest.mark.parametrize("provider", [anthropic.PROVIDER, google.PROVIDER], ids=lambda provider: provider.name)
def test_claude_and_gemini_are_told_a_function(provider: Provider) -> None:
    (tool,) = body(provider, provider.cards[0].model, ModelRequest(ASKED.messages, tools=ASKED.tools))["tools"]
    (written,) = tool.get("functionDeclarations", [tool])
    assert written["description"] == IN_WORDS
    assert FREE_TEXT in written.values()
