"""`config get|set|unset|list|path`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.group import group
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder.settings import Setting

_SECRETS = {"apiKey"}


@command("get", examples=("monkey config get baseUrl", "monkey config get defaultPersona --origin"))
@click.argument("key")
@click.option("--origin", is_flag=True, help="Say where the value comes from.")
@pass_session
def get(session: Session, key: str, *, origin: bool) -> None:
    """Print the value of KEY that is in force; a key is masked."""
    _known(key)
    setting = session.settings().found.get(key)
    if setting is None:
        message = f"{key} is not set."
        raise click.UsageError(message)
    value = _masked(key, setting)
    document = {"key": key, "value": value, "origin": setting.origin}
    session.emit(document, text=lambda: f"{value}  ({setting.origin})" if origin else value)


@command("list", examples=("monkey config list",))
@pass_session
def list_settings(session: Session) -> None:
    """List all settings in force and where each comes from."""
    found = session.settings().found
    document = {key: {"value": _masked(key, setting), "origin": setting.origin} for key, setting in found.items()}
    rows = [(key, _masked(key, setting), setting.origin) for key, setting in found.items()]
    session.emit(document, text=lambda: output.columns(("key", "value", "origin"), rows))


@command("path", examples=("monkey config path",))
@pass_session
def path(session: Session) -> None:
    """Print where the user's configuration file is."""
    from monkey_coder import config_file  # noqa: PLC0415  # `--help` reads no files

    found = config_file.user_file(session.environ)
    session.emit({"path": str(found)}, text=lambda: str(found))


@command(
    "set",
    examples=("monkey config set baseUrl https://gateway.example.com", "monkey config set defaultPersona architect"),
)
@click.argument("key")
@click.argument("value")
@click.option("--project", is_flag=True, help="In .monkey-coder/config.json of this folder.")
@pass_session
def set_value(session: Session, key: str, value: str, *, project: bool) -> None:
    """Set KEY to VALUE. For the key use `monkey auth login`: a secret does not belong on a command line."""
    from monkey_coder import config_file, settings  # noqa: PLC0415  # `--help` reads no files

    _known(key)
    if key in _SECRETS:
        message = f"{key} is a secret; use `monkey auth login --api-key-stdin`."
        raise click.UsageError(message)
    if key == "baseUrl":
        value = settings.checked_base_url(value)
    target = _target(session, project=project)
    config_file.update(target, {key: value})
    session.emit({"key": key, "value": value, "path": str(target)}, text=lambda: f"{key} = {value}  ({target})")


@command("unset", examples=("monkey config unset defaultPersona",))
@click.argument("key")
@click.option("--project", is_flag=True, help="In .monkey-coder/config.json of this folder.")
@pass_session
def unset(session: Session, key: str, *, project: bool) -> None:
    """Remove KEY from the configuration file."""
    from monkey_coder import config_file  # noqa: PLC0415  # `--help` reads no files

    _known(key)
    target = _target(session, project=project)
    if target.exists():
        config_file.update(target, {key: None})
    session.emit({"key": key, "value": None, "path": str(target)}, text=lambda: f"{key} is not set  ({target})")


config = group(
    "config",
    "Read and change the configuration. Flags beat environment, environment beats project file, project file beats"
    " user file.",
    get,
    list_settings,
    path,
    set_value,
    unset,
)


def _target(session: Session, *, project: bool) -> Path:
    from monkey_coder import config_file  # noqa: PLC0415  # `--help` reads no files

    return Path.cwd() / config_file.PROJECT_NAMES[0] if project else config_file.user_file(session.environ)


def _known(key: str) -> None:
    from monkey_coder.settings import ENVIRONMENT  # noqa: PLC0415  # `--help` reads no files

    if key not in ENVIRONMENT:
        message = f"There is no setting {key!r}; there are {', '.join(ENVIRONMENT)}."
        raise click.UsageError(message)


def _masked(key: str, setting: "Setting") -> str:
    if key not in _SECRETS:
        return setting.value
    return f"{setting.value[:3]}…{setting.value[-4:]}" if len(setting.value) > 12 else "…"
