"""HTML pages: one frame and one set of strict headers for all of them. They load nothing, and few run a script."""

import base64
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.respond import Headers, Response

if TYPE_CHECKING:
    from jinja2 import Environment

_SHARED = "monkey_coder_server.web"
_STYLE = files(_SHARED).joinpath("templates/style.css").read_text(encoding="utf-8")
_STANDING: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
_BARE: Headers = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_TITLES = {403: "This is not allowed", 404: "There is nothing here", 429: "Too many tries", 503: "Not just now"}


class Pages:
    """The templates of one package (its folder `templates`), each within the frame. Every value is escaped."""

    def __init__(self, package: str) -> None:
        self._package = package

    def show(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Headers | None = None,
        sends_to: str = "",
        script: str = "",
        **values: Any,
    ) -> Response:
        """A page. `sends_to` is a further origin that its forms may lead to; `script` the only one it runs."""
        text = self._environment.get_template(template).render(style=_STYLE, script=script, **values)
        targets = f"'self' {sends_to}".rstrip()
        runs = f"script-src {_source(script)}; " if script else ""
        policy = (
            f"default-src 'none'; style-src {_source(_STYLE)}; {runs}form-action {targets}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        own: Headers = [*_STANDING, (b"content-security-policy", policy.encode("ascii")), *(headers or ())]
        return Response(status, text.encode(), own)

    def problem(self, error: GatewayError, request_id: str) -> Response:
        """An error as a page (`web.feature.ErrorRenderer`)."""
        status = status_of(error)
        title = _TITLES.get(status, "This did not work")
        headers: Headers = []
        if error.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
        return self.show(
            "problem.html", status=status, headers=headers, title=title, message=error.message, request_id=request_id
        )

    @cached_property
    def _environment(self) -> "Environment":
        """Made for the first page: a gateway that only serves programs never needs it."""
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - a gateway without pages pays nothing for them

        loader = ChoiceLoader([PackageLoader(self._package), PackageLoader(_SHARED)])
        return Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )


def plain(text: str) -> Response:
    """The text of a page, for who asks for one without a browser."""
    kind = (b"content-type", b"text/plain; charset=utf-8")
    return Response(200, text.encode(), [kind, (b"x-content-type-options", b"nosniff"), *_BARE])


def see_other(location: str, headers: Headers | None = None) -> Response:
    """Send the browser on, by GET, to where the caller has made sure that it may be sent."""
    return Response(303, b"", [(b"location", location.encode("ascii")), *_BARE, *(headers or ())])


def _source(inline: str) -> str:
    """What names a text that stands in the page itself (CSP Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(sha256(inline.encode()).digest()).decode('ascii')}'"
