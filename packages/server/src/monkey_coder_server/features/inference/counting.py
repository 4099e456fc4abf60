"""Token counting in a foreign dialect: our own estimate of the prompt, at once and free of charge."""

from collections.abc import Callable

from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.domain.tokenizers import calibration
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.door import Memory
from monkey_coder_server.ports.front import Envelope, Front
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_bytes


class CountDoor:
    """`write` says the number of tokens in the dialect's words; they are counted as the provider's models count."""

    def __init__(
        self, front: Front, desk: Desk, write: Callable[[int], bytes], *, provider: str, memory: Memory | None = None
    ) -> None:
        self._front = front
        self._desk = desk
        self._write = write
        self._memory = memory
        self._weights = calibration(provider, "")

    async def serve(self, request: Request, *, path_model: str | None = None) -> Reply:
        """Answer with the count. Raises `InvalidRequest` for a body that is no request of the dialect."""
        headers = await self._desk.limit(request)
        envelope = Envelope(headers=request.headers, query=request.query, path_model=path_model, stream=False)
        body = await request.body()
        if self._memory is not None:
            body, _ = await self._memory.recall(request, body)
        inbound = self._front.read(body, envelope)
        return json_bytes(self._write(prompt_size(inbound.request).expected_by(self._weights)), headers=headers)
