"""Our errors at the doors of foreign dialects."""

from monkey_coder_server.domain.errors import GatewayError, InvalidRequest
from monkey_coder_server.features.inference.limits import rate_headers
from monkey_coder_server.ports.front import Front, Problem
from monkey_coder_server.web.problem import IN_VAIN, problem_headers, sentence, status_of
from monkey_coder_server.web.respond import Headers, Response


class Problems:
    """Errors as a dialect's own SDK expects them. `top_up_url` is where a user adds credit."""

    def __init__(self, front: Front, top_up_url: str) -> None:
        self._front = front
        self._top_up_url = top_up_url

    def __call__(self, error: GatewayError, request_id: str) -> Response:
        """The answer to a request that failed before its stream began."""
        refusal = self._front.refuse(self.problem(error, request_id))
        own = [(name.encode(), value.encode("latin-1", "replace")) for name, value in refusal.headers]
        named = {name for name, _ in own}
        ours = [*problem_headers(error), *rate_headers(error.facts)]
        headers: Headers = [*own, *((name, value) for name, value in ours if name not in named)]
        return Response(refusal.status, refusal.body, [(b"content-type", b"application/json"), *headers])

    def problem(self, error: GatewayError, request_id: str) -> Problem:
        """What there is to be told.

        What a provider finds wrong with the caller's own body is told as 400, after which every agent stops; after a
        502 they send the same again.
        """
        told = InvalidRequest(error.message) if error.facts.get("failure") in IN_VAIN else error
        return Problem(
            code=told.code,
            status=status_of(told),
            message=sentence(error, top_up_url=self._top_up_url),
            request_id=request_id,
            retry_after=error.retry_after,
            facts=error.facts,
        )
