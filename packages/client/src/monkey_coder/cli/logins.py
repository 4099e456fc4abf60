"""The ways `monkey auth login` gets a key: through the browser of this computer, or by a code typed on any other."""

import hashlib
import platform
import secrets
import sys
import time
import webbrowser
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from monkey_coder.cli import output
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client
    from monkey_coder_protocol.cli_login import CommandLineKey, DeviceAuthorization

BROWSER_SECONDS = 600.0
"""How long a person may take in the browser."""
SLOWER = 5
"""Seconds that each `slow_down` adds (RFC 8628, section 3.5)."""


def host_name() -> str:
    """What this computer is called, for the name of its key."""
    return platform.node().partition(".")[0]


def browser_at_hand(environ: Mapping[str, str]) -> bool:
    """Whether a browser opened here would be seen by the person who typed the command."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    if sys.platform in {"win32", "darwin"}:
        return True
    return any(environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))


def by_browser(session: Session, client: "Client") -> "CommandLineKey | None":
    """Consent in the browser, bound to this process by PKCE and `state`. None where no browser opens."""
    from monkey_coder.cli.loopback import Listener  # noqa: PLC0415  # http.server only where it listens

    client.health()  # the browser would show an error of its own where the gateway cannot be reached
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with Listener(state) as listener:
        asked = {
            "response_type": "code",
            "client_id": "monkey-cli",
            "redirect_uri": listener.redirect_uri,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": state,
            "host": host_name(),
        }
        address = f"{client.base_url}/authorize?{urlencode(asked)}"
        if not _open(address):
            return None
        output.error_line(f"Your browser opens to log you in. If it does not, open this address in it:\n{address}")
        session.note("No browser on this computer? Stop this with Ctrl-C and run `monkey auth login --device`.")
        answer = listener.wait(min(BROWSER_SECONDS, session.timeout or BROWSER_SECONDS))
        if answer is None:
            raise _unanswered()
        if "code" not in answer:
            raise _refused()
        return client.auth.redeem_code(answer["code"], verifier=verifier, redirect_uri=listener.redirect_uri)


def by_device_code(session: Session, client: "Client") -> "CommandLineKey":
    """Show a code, and ask until it was answered."""
    from monkey_coder_protocol.version import VERSION  # noqa: PLC0415  # beside its only use

    begun = client.auth.begin_device_login(client_name=f"monkey {VERSION}", host=host_name())
    _show(session, begun)
    ends = time.monotonic() + min(begun.expires_in, session.timeout or begun.expires_in)
    interval: float = begun.interval
    while time.monotonic() + interval < ends:
        time.sleep(interval)
        found, interval = _ask(client, begun.device_code, interval)
        if found is not None:
            return found
    raise _unanswered()


def _ask(client: "Client", device_code: str, interval: float) -> "tuple[CommandLineKey | None, float]":
    from monkey_coder import APIError, NetworkError  # noqa: PLC0415  # `--help` loads no SDK

    try:
        return client.auth.poll_device_login(device_code), interval
    except NetworkError:
        return None, interval * 2
    except APIError as error:
        if error.error_code == "authorization_pending":
            return None, interval
        if error.error_code == "slow_down":
            return None, interval + SLOWER
        if error.error_code == "access_denied":
            raise _refused() from error
        raise


def _show(session: Session, begun: "DeviceAuthorization") -> None:
    if session.on("json"):
        shown = ("user_code", "verification_uri", "verification_uri_complete", "expires_in")
        output.document({"event": "device_code", **{name: getattr(begun, name) for name in shown}})
        return
    output.error_line(
        f"To log in, open this page on any device and type the code there:\n\n"
        f"    {begun.verification_uri}\n    {begun.user_code}\n\n"
        f"or open {begun.verification_uri_complete}"
    )
    session.note(f"Waiting for your answer there, for {begun.expires_in // 60} minutes …")


def _open(address: str) -> bool:
    """Ask the system for a browser; what one writes goes nowhere near the terminal's answer."""
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False


def _unanswered() -> CommandFailed:
    return CommandFailed(
        Exit.NOT_AUTHENTICATED,
        "expired_token",
        message="Nobody answered in the browser in time.",
        hint="Run `monkey auth login` again.",
    )


def _refused() -> CommandFailed:
    return CommandFailed(
        Exit.NOT_AUTHENTICATED,
        "access_denied",
        message="The login was refused in the browser.",
        hint="Run `monkey auth login` again if that was a mistake.",
    )
