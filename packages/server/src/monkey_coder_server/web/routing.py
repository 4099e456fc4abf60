"""Which endpoint serves a method and a path."""

import difflib
import re
from collections.abc import Iterable, Iterator
from re import Pattern

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.problem import MethodNotAllowed

_NATIVE = "/v1/"
_ALIAS = "/api"
_LONGEST_GUESS = 100
"""Characters of an unknown path that are compared with known ones: the comparison costs their product."""
_PLACEHOLDER = re.compile(r"\{(\w+)(:path)?\}")


class Match(Record, frozen=True):
    """A route and what its path's placeholders hold."""

    route: Route
    parameters: dict[str, str]


class RouteTable:
    """Fixed paths are found by one dictionary look-up; only paths with placeholders are tried one after another."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: dict[str, tuple[Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            for path in served_paths(route.path):
                self._add(path, route)

    def _add(self, path: str, route: Route) -> None:
        if "{" in path:
            methods = self._patterns.setdefault(path, (_pattern(path), {}))[1]
        else:
            methods = self._fixed.setdefault(path, {})
        if route.method in methods:
            message = f"two endpoints for {route.method} {path}"
            raise ValueError(message)
        methods[route.method] = route

    def __iter__(self) -> Iterator[tuple[str, Route]]:
        """Every served path with its route."""
        for path, methods in self._fixed.items():
            yield from ((path, route) for route in methods.values())
        for path, (_, methods) in self._patterns.items():
            yield from ((path, route) for route in methods.values())

    def find(self, method: str, path: str) -> Match:
        """The route of a request. Raises `NotFound` or `MethodNotAllowed`, both saying what there is instead.

        Of several patterns that fit a path (`/v1/models/{model:path}` fits what ends in `:generateContent`, too) the
        first that takes the method serves it.
        """
        fixed = self._fixed.get(path)
        if fixed is not None and (route := fixed.get(method)) is not None:
            return Match(route, {})
        taken: set[str] = set()
        for methods, parameters in self._places(path):
            route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
            if route is not None:
                return Match(route, parameters)
            taken.update(methods)
        if not taken:
            raise NotFound(self._nothing_at(method, path))
        allow = ", ".join(sorted(taken))
        message = f"{path} does not take {method}; it takes {allow}."
        raise MethodNotAllowed(message, facts={"allow": allow})

    def _places(self, path: str) -> Iterator[tuple[dict[str, Route], dict[str, str]]]:
        fixed = self._fixed.get(path)
        if fixed is not None:
            yield fixed, {}
            return
        for pattern, methods in self._patterns.values():
            matched = pattern.match(path)
            if matched is not None:
                yield methods, matched.groupdict()

    def _nothing_at(self, method: str, path: str) -> str:
        shown = path if path.isprintable() and len(path) <= _LONGEST_GUESS else "this path"
        known = [*self._fixed, *self._patterns]
        near = difflib.get_close_matches(path[:_LONGEST_GUESS], known, n=1, cutoff=0.75)
        guess = f"did you mean {near[0]}?" if near else "the API lives under /v1, for example POST /v1/execute."
        return f"There is nothing at {method} {shown}; {guess}"


def _pattern(path: str) -> Pattern[str]:
    """What paths fit one with placeholders: `{name}` holds one segment, `{name:path}` any number of them."""
    fixed, *placeholders = _PLACEHOLDER.split(path)
    parts = [re.escape(fixed)]
    for name, greedy, behind in zip(*[iter(placeholders)] * 3, strict=True):
        parts.append(f"(?P<{name}>{'.*' if greedy else '[^/]+'}){re.escape(behind)}")
    return re.compile(f"^{''.join(parts)}$")


def served_paths(path: str) -> tuple[str, ...]:
    """Where a route is served: native paths have an alias under `/api`."""
    return (path, _ALIAS + path) if path.startswith(_NATIVE) else (path,)
