"""Which file names of an answer may be written. A model's answer is untrusted: deny by default."""

import re
import unicodedata
from pathlib import Path

MAX_COMPONENT_BYTES = 255
MAX_PATH_BYTES = 1024
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_GIT = re.compile(r"\.git|git~[0-9]+", re.IGNORECASE)


class UnsafePath(ValueError):
    """The name must not be written; the message says why."""


def safe_path(directory: Path, name: str) -> Path:
    """Where `name` goes below `directory` (already resolved). Raises `UnsafePath`."""
    _check_text(name)
    components = name.split("/")
    for component in components:
        _check_component(component)
    target = directory.joinpath(*components)
    _check_links(directory, target)
    return target


def _check_text(name: str) -> None:
    if not name.strip():
        _refuse(name, "is empty")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        _refuse(name[:40] + "…", "is too long")
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        _refuse(name, "holds control or invisible characters")
    if any(char in '<>:"|?*\\' for char in name):
        _refuse(name, "holds a character that is special on some system")
    if name.startswith(("/", "~")):
        _refuse(name, "leads out of the folder")


def _check_component(component: str) -> None:
    if component in {"", ".", ".."}:
        _refuse(component, "is no name of a file or folder")
    if len(component.encode()) > MAX_COMPONENT_BYTES:
        _refuse(component[:40] + "…", "is too long")
    if component != component.strip() or component.endswith("."):
        _refuse(component, "begins or ends with a blank or a dot that some systems drop")
    if _RESERVED.fullmatch(component):
        _refuse(component, "is a device on some system")
    if _GIT.fullmatch(unicodedata.normalize("NFKC", component)):
        _refuse(component, "would change a repository's own files")


def _check_links(directory: Path, target: Path) -> None:
    """A link inside the folder must not carry the file out of it, nor be written through."""
    if target.is_symlink():
        _refuse(target.name, "is a symbolic link")
    if not target.parent.resolve().is_relative_to(directory):
        _refuse(str(target.relative_to(directory)), "leads out of the folder through a link")
    if target.is_dir():
        _refuse(target.name, "is a folder already")
    for parent in target.relative_to(directory).parents:
        above = directory / parent
        if above.exists() and not above.is_dir():
            _refuse(str(target.relative_to(directory)), f"needs a folder where {above.name} is a file")


def _refuse(name: str, reason: str) -> None:
    message = f"{name!r} {reason}"
    raise UnsafePath(message)
