"""Whether a conversation is in the middle of something that only the model it began with can safely go on with."""

from monkey_coder_server.domain.conversation import ModelRequest, Part, Role, Thinking, ToolCall, ToolResult, Unknown


def bound_to_its_model(request: ModelRequest) -> bool:
    """Whether the last word is a tool's, or signed thoughts or blocks of one dialect were said on the way."""
    spoken = [message for message in request.messages if message.role not in {Role.SYSTEM, Role.DEVELOPER}]
    if spoken and any(isinstance(part, ToolResult) for part in spoken[-1].parts):
        return True
    return any(_of_one_model(part) for message in spoken for part in message.parts)


def _of_one_model(part: Part) -> bool:
    if isinstance(part, Thinking):
        return part.signature is not None or part.redacted is not None
    if isinstance(part, ToolCall):
        return part.signature is not None
    return isinstance(part, Unknown)
