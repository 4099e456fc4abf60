"""What a route is: a method, a path with ids in braces, and a function of the account and the parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from monkey_coder_server.sandbox.stripe.account import Object


@dataclass(frozen=True, slots=True)
class Route:
    """`act` is called with the account, the parameters and the path's ids."""

    method: str
    path: str
    act: Callable[..., Object]

    @property
    def name(self) -> str:
        """`POST /v1/customers/{id}`: what validators are looked up by."""
        return f"{self.method} {self.path}"
