"""Log-in of a command line, by browser or by device code, and the pages where a person answers."""

from monkey_coder_server.features.accounts.cli_login.device import DeviceLogins
from monkey_coder_server.features.accounts.cli_login.door import Door
from monkey_coder_server.features.accounts.cli_login.identity_pages import IdentityPages
from monkey_coder_server.features.accounts.cli_login.invitation_pages import InvitationPages
from monkey_coder_server.features.accounts.cli_login.log_in_forms import LoginForms
from monkey_coder_server.features.accounts.cli_login.loopback import CodeLogins
from monkey_coder_server.features.accounts.cli_login.pages import LoginPages
from monkey_coder_server.features.accounts.cli_login.passkey_pages import PasskeyPages
from monkey_coder_server.features.accounts.cli_login.provider_pages import ProviderPages
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
        forms = LoginForms(use, door)
        self._pages = (
            LoginPages(use, door, forms, devices, codes),
            PasskeyPages(use, door),
            ProviderPages(use, door, forms),
            IdentityPages(use, door),
            InvitationPages(use, door),
        )

    def routes(self) -> tuple[Route, ...]:
        """Every route of both."""
        pages = (route for each in self._pages for route in each.routes())
        return (*self._tokens.routes(), *pages)
