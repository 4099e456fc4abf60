"""No file names a package registry's host (DESIGN §1), so that every mirror serves the same lock."""

import re
from collections.abc import Iterator

from tools.lint.rules import Finding

# Written in pieces, or this file would break its own rule.
_HOSTS = ("py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org", "npm" + "js.com")
_PATTERN = re.compile("|".join(re.escape(host) for host in _HOSTS), re.IGNORECASE)


def registry_hosts(path: str, text: str) -> Iterator[Finding]:
    """Each line that names such a host."""
    for number, line in enumerate(text.splitlines(), 1):
        if _PATTERN.search(line):
            yield Finding(path, number, "registry-host", "leave the registry's address out")
