"""From a task to what a model is asked: the persona's system prompt, the files, the user's words."""

from collections.abc import Sequence

from monkey_coder_protocol.execute import FileData
from monkey_coder_server.domain.artifacts import ArtifactFile, render
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Sampling, Text, Tool, ToolChoice
from monkey_coder_server.domain.personas import Persona, compose_system_prompt


def model_request(  # noqa: PLR0913 - what a task is made of, all named
    *,
    prompt: str,
    task_type: str,
    persona: Persona,
    files: Sequence[FileData] = (),
    custom_instructions: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    tools: tuple[Tool, ...] = (),
    tool_choice: ToolChoice | None = None,
) -> ModelRequest:
    """The neutral request. A temperature the caller gave stands; else the persona's own is used."""
    system = compose_system_prompt(persona, task_type, custom_instructions)
    return ModelRequest(
        messages=(
            Message(Role.SYSTEM, (Text(system),)),
            Message(Role.USER, (Text(_user_text(prompt, files)),)),
        ),
        tools=tools,
        tool_choice=tool_choice,
        sampling=Sampling(max_tokens, persona.temperature if temperature is None else temperature),
    )


def _user_text(prompt: str, files: Sequence[FileData]) -> str:
    if not files:
        return prompt
    shown = render(ArtifactFile(" ".join(file.path.split()), file.content, _language(file.type)) for file in files)
    return f"Files given as context:\n\n{shown}\n\n{prompt}"


def _language(word: str | None) -> str | None:
    """The client's word for a file's kind where it can stand on a fence's opening line."""
    return word if word and word.isascii() and word.isalnum() else None
