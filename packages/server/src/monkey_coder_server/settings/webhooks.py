"""Where customers' webhooks may lead beside the public Internet: `WEBHOOK_HOSTS`."""

import re

from monkey_coder_server.settings.faults import wrong

_HOST_AND_PORT = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?:[1-9][0-9]{0,4}", re.ASCII)
WEBHOOK_VARIABLES = (
    (
        "WEBHOOK_HOSTS",
        "none",
        (
            "HOST:PORT of receivers that customers' webhooks may name though they are not of the public Internet, or "
            "speak http; comma-separated. Whoever manages an account's billing can have the gateway post there."
        ),
    ),
)
"""Names, defaults and meanings."""


def read_webhook_hosts(text: str) -> frozenset[str]:
    """Hosts with their ports, in small letters. Raises `SettingsError`."""
    hosts = frozenset([each.strip().lower() for each in text.split(",") if each.strip()])
    for each in sorted(hosts):
        if not _HOST_AND_PORT.fullmatch(each):
            raise wrong("WEBHOOK_HOSTS", each, "hosts with their ports like hooks.internal:8080, comma-separated")
    return hosts
