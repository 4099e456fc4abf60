"""Gathers blocks into the content of a whole message: what a client's own fold of the stream would give."""

from monkey_coder_server.dialects.wire import parse_json
from monkey_coder_server.domain.conversation import Json


class ContentSink:
    """Content blocks as they stand in a message that is not streamed."""

    __slots__ = ("_grown", "content")

    def __init__(self) -> None:
        self.content: list[dict[str, Json]] = []
        self._grown: dict[int, dict[str, list[Json]]] = {}

    def start(self, index: int, block: dict[str, Json]) -> None:
        """A block begins; blocks come in the order of their numbers."""
        self.content.append(block)
        self._grown[index] = {}

    def grow(self, index: int, kind: str, name: str, value: Json) -> None:
        """A piece of it."""
        del kind
        self._grown[index].setdefault(name, []).append(value)

    def stop(self, index: int) -> None:
        """Join its pieces."""
        block = self.content[index]
        for name, values in self._grown.pop(index).items():
            if name == "citation":
                block["citations"] = values
            elif name == "partial_json":
                block["input"] = _input("".join(values))
            else:
                block[name] = "".join(values)


def _input(arguments: str) -> Json:
    """Arguments as an object; what is none (cut off, or no JSON) is shown as the text it is."""
    parsed = parse_json(arguments)
    return parsed if isinstance(parsed, dict) else {"unparsed_arguments": arguments}
