"""`PATCH /v1/keys/{key_id}`, `POST /v1/keys/{key_id}/rotate` and `POST /v1/keys/report`."""

import msgspec

from monkey_coder_protocol import auth as wire
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.scopes import KEYS_MANAGE
from monkey_coder_server.features.accounts import keys
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.key_care.changing import KeyChange, change_key
from monkey_coder_server.features.accounts.key_care.reporting import revoke_leaked
from monkey_coder_server.features.accounts.key_care.rotating import rotate_key
from monkey_coder_server.features.accounts.sessions import throttle
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_change = msgspec.json.Decoder(KeyChange)
_rotate = msgspec.json.Decoder(wire.RotateKeyRequest)
_reports = msgspec.json.Decoder(list[wire.LeakedKey] | wire.LeakedKey)
THANKS = "Thank you. If it is a key of this gateway, it is revoked now and its owner is told."


class KeyCareRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about keys that are there already."""
        return (
            *[route for one in ("/v1/keys/{key_id}", "/v1/auth/keys/{key_id}") for route in self._of(one)],
            Route(
                "POST",
                "/v1/keys/report",
                self.report,
                auth="public",
                takes=wire.LeakedKey,
                gives=wire.Message,
            ),
        )

    def _of(self, one: str) -> tuple[Route, ...]:
        change = Route(
            "PATCH",
            one,
            self.change,
            scope=KEYS_MANAGE,
            takes=wire.UpdateKeyRequest,
            gives=wire.KeyInfo,
            confirm=Action.KEYS,
            action="key.change",
        )
        rotate = Route(
            "POST",
            f"{one}/rotate",
            self.rotate,
            scope=KEYS_MANAGE,
            once=True,
            takes=wire.RotateKeyRequest,
            gives=wire.CreatedKey,
            confirm=Action.KEYS,
            action="key.rotate",
        )
        return change, rotate

    async def change(self, request: Request) -> Reply:
        """Change the fields that are sent, null taking a restriction back; the others stay."""
        wish = await json_body(request, _change)
        made = await change_key(self._use, request, request.parameters["key_id"], wish)
        return json_reply(keys.shown_key(made, self._use))

    async def rotate(self, request: Request) -> Reply:
        """A new secret for one key; the old one ends at once, or after `grace_hours`."""
        wish = await json_body(request, _rotate) if await request.keep_body() else wire.RotateKeyRequest()
        made = await rotate_key(self._use, request, request.parameters["key_id"], grace_hours=wish.grace_hours)
        return json_reply(keys.created_key(made))

    async def report(self, request: Request) -> Reply:
        """Revoke a leaked key, or a list as GitHub's secret scanning sends it. The answer is always the same."""
        await throttle(self._use, action="report", client_ip=request.client_ip)
        reported = await json_body(request, _reports)
        await revoke_leaked(self._use, request, reported if isinstance(reported, list) else [reported])
        return json_reply(wire.Message(THANKS))
