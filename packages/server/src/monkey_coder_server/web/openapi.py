"""The OpenAPI 3.1 document of the routes there are, from the route table and the structs of bodies and answers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec

from monkey_coder_protocol.errors import ErrorBody
from monkey_coder_server.domain.scopes import EXECUTE
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.query import described

_PARAMETER = re.compile(r"\{([a-z_]+)(?::path)?\}")
_TEMPLATE = "#/components/schemas/{name}"
_CHANGING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_MEANING: Mapping[int, str] = {
    200: "Done.",
    302: "Go on elsewhere.",
    303: "Go on elsewhere.",
    400: "Something in the request is wrong; the message says what.",
    401: "The credential is missing, unknown, expired or revoked.",
    402: "There is no credit for it, or a cap is reached.",
    403: "The credential may not do this.",
    404: "There is nothing of that name.",
    408: "The body came too slowly.",
    409: "It exists already, or is being made right now.",
    413: "The body is too large.",
    415: "The body is not JSON, or is compressed.",
    422: "The idempotency key came with another body before.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "The gateway made a mistake; it was logged under the request id.",
    502: "The provider refused or failed after all attempts.",
    503: "A store is away, or the process is shutting down; try again.",
    504: "The provider was too slow.",
}
_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key `mk-…`, or a person's access token."},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "x-goog-api-key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
}
_FIRST_ERROR = 400
_ANYTHING: Mapping[str, Any] = {"type": "object", "additionalProperties": True}


def document(routes: Iterable[Route], *, version: str, base_url: str) -> dict[str, Any]:
    """The document; native routes are served under `/api` too, which is not repeated for each."""
    listed = sorted(routes, key=lambda route: (route.path, route.method))
    structs = {struct for route in listed for kind in (route.takes, route.gives) for struct in _structs(kind)}
    kinds = sorted({ErrorBody, *structs}, key=str)
    references, schemas = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    schema_of = dict(zip(kinds, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault(_path(route), {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Monkey Coder",
            "version": version,
            "description": "Paths under /v1/ are served under /api/v1/ too. "
            "The routes of other APIs take and give what those APIs document.",
        },
        "servers": [{"url": base_url}],
        "security": [{name: []} for name in _SECURITY_SCHEMES],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": dict(_problems(schema_of[ErrorBody])),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _problems(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What errors look like: natively with a body we describe, elsewhere as the other API has it."""
    for status, meaning in _MEANING.items():
        if status >= _FIRST_ERROR:
            yield f"native-{status}", {"description": meaning, "content": {"application/json": {"schema": body}}}
            yield f"foreign-{status}", {"description": meaning}


def _structs(kind: type | UnionType | None) -> tuple[type, ...]:
    if kind is None:
        return ()
    return (kind,) if isinstance(kind, type) else get_args(kind)


def _schema(kind: type | UnionType, schema_of: Mapping[type, Any]) -> Any:
    several = [schema_of[struct] for struct in _structs(kind)]
    return several[0] if len(several) == 1 else {"anyOf": several}


def _path(route: Route) -> str:
    return _PARAMETER.sub(r"{\1}", route.path)


def _operation(route: Route, schema_of: Mapping[type, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.method} {_path(route)}",
        "summary": (route.endpoint.__doc__ or "").strip().partition("\n")[0],
        "responses": {str(status): _response(route, status, schema_of) for status in _statuses(route)},
    }
    if route.auth == "public":
        operation["security"] = []
    if route.scope is not None:
        operation["x-scope"] = route.scope
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    parameters += described(route.query) if route.query is not None else []
    if parameters:
        operation["parameters"] = parameters
    body = _body(route, schema_of)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _body(route: Route, schema_of: Mapping[type, Any]) -> Any:
    """The schema of what is sent; of the routes of other APIs, any object."""
    if route.takes is not None:
        return schema_of[route.takes]
    foreign = route.scope == EXECUTE and route.method in _WITH_BODY
    return _ANYTHING if foreign else None


def _statuses(route: Route) -> Iterator[int]:
    """What a route can answer: what all can, what a credential, a body and money bring with them."""
    possible = {200, 400, 401, 429, 500, 503}
    if route.page:
        possible |= {302, 303, 403, 404, 409}
    if route.redirects:
        possible |= {303, 409}
    if route.auth != "public":
        possible |= {403, 404}
    if _PARAMETER.search(route.path):
        possible |= {404}
    if route.takes is not None or route.method in _WITH_BODY:
        possible |= {408, 413, 415}
    if route.method in _CHANGING:
        possible |= {404, 409}
    if route.once or route.scope == EXECUTE:
        possible |= {409, 422}
    if route.scope == EXECUTE:
        possible |= {402, 404, 502, 504}
    yield from sorted(possible)


def _response(route: Route, status: int, schema_of: Mapping[type, Any]) -> dict[str, Any]:
    if status >= _FIRST_ERROR:
        family = "native" if route.errors is None and not route.page else "foreign"
        return {"$ref": f"#/components/responses/{family}-{status}"}
    response: dict[str, Any] = {"description": _MEANING[status]}
    if status == 200 and route.gives is not None:
        response["content"] = {"application/json": {"schema": _schema(route.gives, schema_of)}}
    return response
