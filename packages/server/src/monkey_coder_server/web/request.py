"""One HTTP request as an endpoint sees it: cheap to build, read lazily."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from monkey_coder_server.domain.errors import RequestTooLarge
from monkey_coder_server.web.asgi import Receive, Scope, Straight
from monkey_coder_server.web.principal import ANONYMOUS, Principal
from monkey_coder_server.web.problem import RequestTimeout, UnsupportedMediaType
from monkey_coder_server.web.within import Within


class ClientGone(Exception):
    """The caller closed the connection before the body was complete."""


LONGEST_AGENT = 200


class Request:
    """`request_id` is ours, unique, and the ledger's key; `client_ip` is behind trusted proxy hops only.

    `concerns` is the account a caller without a credential turned out to mean, for the audit trail.
    """

    __slots__ = (
        "_body",
        "_headers",
        "_left",
        "_query",
        "_straight",
        "body_limit",
        "body_seconds",
        "client_ip",
        "concerns",
        "parameters",
        "principal",
        "receive",
        "request_id",
        "scope",
    )

    def __init__(  # noqa: PLR0913 - built in one place per request, by name
        self,
        scope: Scope,
        receive: Receive,
        *,
        request_id: str,
        client_ip: str = "",
        parameters: dict[str, str] | None = None,
        body_limit: int = 32 * 1024 * 1024,
        body_seconds: float = 60.0,
        straight: Straight | None = None,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.request_id = request_id
        self.client_ip = client_ip
        self.concerns = ""
        self.parameters = parameters or {}
        self.principal: Principal = ANONYMOUS
        self.body_limit = body_limit
        self.body_seconds = body_seconds
        self._straight = straight
        self._body: bytes | None = None
        self._left: Callable[[], None] | None = None
        self._headers: dict[str, str] | None = None
        self._query: dict[str, str] | None = None

    def header(self, name: str) -> str | None:
        """A header by its lower-case name; the last one where it is repeated."""
        return (self._headers or self.headers).get(name)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name; the last one where a name is repeated."""
        if self._headers is None:
            sent = self.scope["headers"]
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent}
        return self._headers

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last one where a name is repeated."""
        if self._query is None:
            self._query = dict(self.pairs) if self.scope["query_string"] else {}
        return self._query

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Query parameters in their order, repeated names as often as they come."""
        raw = self.scope["query_string"]
        return parse_qsl(raw.decode("latin-1"), keep_blank_values=True) if raw else []

    def begun(self, left: Callable[[], None]) -> None:
        """Its work begins; `left` is to be called as soon as that waits for somebody else."""
        self._left = left

    def under_way(self) -> None:
        """It waits for a provider now, or has been answered: another may begin. Harmless after the first time."""
        left, self._left = self._left, None
        if left is not None:
            left()

    @property
    def announced_bytes(self) -> int:
        """How long the body is by its header, up to what is accepted; 0 for one that is sent in chunks."""
        declared = self.header("content-length")
        return min(int(declared), self.body_limit) if declared is not None and declared.isdigit() else 0

    async def body(self) -> bytes:
        """The whole body, to be read once.

        Raises `RequestTooLarge`, `RequestTimeout`, `UnsupportedMediaType` when it is compressed, `ClientGone`.
        """
        if self._body is not None:
            return self._body
        encoding = self.header("content-encoding")
        if encoding is not None and encoding.lower() != "identity":
            raise UnsupportedMediaType("Compressed bodies are not accepted: send the JSON without Content-Encoding.")
        come = None if self._straight is None else self._straight.come()
        if come is not None:
            if len(come) > self.body_limit:
                raise self._too_large()
            return come
        declared = self.header("content-length")
        if declared is not None and declared.isdigit() and int(declared) > self.body_limit:
            raise self._too_large()
        try:
            with Within(self.body_seconds):
                return await self._read()
        except TimeoutError as slow:
            message = f"The body did not arrive within {self.body_seconds:g} seconds."
            raise RequestTimeout(message) from slow

    async def keep_body(self) -> bytes:
        """The same, and it can be read again."""
        self._body = await self.body()
        return self._body

    async def _read(self) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            body += message.get("body", b"")
            if len(body) > self.body_limit:
                raise self._too_large()
            more = message.get("more_body", False)
        return bytes(body)

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"The body is larger than the {self.body_limit} bytes this gateway accepts; send less or fewer files."
        )


def agent_of(request: Request) -> str:
    """The User-Agent as it may be stored and shown: printable, and not longer than a line."""
    agent = request.header("user-agent") or ""
    return "".join(letter for letter in agent[:LONGEST_AGENT] if letter.isprintable())
