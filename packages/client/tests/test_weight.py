"""A user installs a client, not a server."""

from importlib.metadata import requires

from packaging.requirements import Requirement

LIGHT = {
    "anyio", "click", "h11", "httpcore2", "httpx2", "idna", "markdown-it-py", "mdurl", "monkey-coder-protocol",
    "msgspec", "pygments", "rich", "truststore", "typing-extensions",
}  # fmt: skip


def closure(name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for line in requires(waiting.pop()) or []:
            requirement = Requirement(line)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            needed = requirement.name.lower().replace("_", "-")
            if wanted and needed not in found:
                found.add(needed)
                waiting.append(needed)
    return found


def test_everything_the_client_pulls_in_is_on_the_short_list() -> None:
    assert closure("monkey-coder") <= LIGHT
