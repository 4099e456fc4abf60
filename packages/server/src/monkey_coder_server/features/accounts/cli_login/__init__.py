"""Log-in of a command line, by browser or by device code, and the pages where a person answers."""

from monkey_coder_server.features.accounts.cli_login.device import DeviceLogins
from monkey_coder_server.features.accounts.cli_login.door import Door
from monkey_coder_server.features.accounts.cli_login.loopback import CodeLogins
from monkey_coder_server.features.accounts.cli_login.pages import LoginPages
from monkey_coder_server.features.accounts.cli_login.passkey_pages import PasskeyPages
from monkey_coder_server.features.accounts.cli_login.tokens import TokenRoutes
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.web.feature import Route

__all__ = ["CliLoginRoutes"]


class CliLoginRoutes:
    """Both ways to log in, for programs and for browsers."""

    def __init__(self, use: Dependencies) -> None:
        devices, codes = DeviceLogins(use), CodeLogins(use)
        self._tokens = TokenRoutes(use, devices, codes)
        door = Door(use)
        self._pages = LoginPages(use, door, devices, codes)
        self._passkeys = PasskeyPages(use, door)

    def routes(self) -> tuple[Route, ...]:
        """Every route of both."""
        return (*self._tokens.routes(), *self._pages.routes(), *self._passkeys.routes())
