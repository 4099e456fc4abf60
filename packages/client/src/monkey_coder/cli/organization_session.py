"""Which organization `monkey orgs` acts for, and as whom."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.person_login import logged_in, person_options
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client
    from monkey_coder._organizations import Organizations

F = TypeVar("F", bound=Callable[..., object])
ID_PREFIX = "acc_"


@dataclass(frozen=True, slots=True)
class Who:
    """Whom the flags name: the organization by id or name, and the person who logs in."""

    org: str | None
    email: str | None
    password_stdin: bool


@dataclass(frozen=True, slots=True)
class Acting:
    """An organization, and a client that acts for it."""

    organization_id: str
    client: "Client"

    @property
    def organizations(self) -> "Organizations":
        """The calls."""
        return self.client.organizations


def organization_options(command: F) -> F:
    """Which organization, and who acts for it."""
    named = click.option("--org", metavar="ORG", help="The organization, by id or name; by default the configured one.")
    return named(person_options(command))


@contextmanager
def acting(session: Session, who: Who, *, as_person: bool = False) -> Iterator[Acting]:
    """Act for an organization: with a key of it where that is the one in force, else by logging in for this command.

    `as_person`: what no key may do.
    """
    wanted = who.org or session.settings().value("organization")
    if wanted and wanted.startswith(ID_PREFIX) and session.settings().api_key and not (who.email or as_person):
        with session.client() as client:
            if _acts_for(client, wanted):
                yield Acting(wanted, client)
                return
    with logged_in(session, who.email, password_stdin=who.password_stdin) as person:
        yield Acting(_found(person.client, wanted), person.client)


def confirm(session: Session, name: str, *, yes: bool, deed: str) -> None:
    """Have a person type the name of what they end. Raises `CommandFailed` when they do not."""
    if yes:
        return
    if not session.may_ask:
        message = f"To {deed} cannot be undone; say --yes."
        raise click.UsageError(message)
    if click.prompt(f"Type {name} to {deed}", err=True, default="", show_default=False) != name:
        raise CommandFailed(Exit.TASK_FAILED, "not_confirmed", message="Nothing was changed.")


def _acts_for(client: "Client", organization_id: str) -> bool:
    """Whether a key is one of the organization's."""
    from monkey_coder import NotFoundError, PermissionDeniedError  # noqa: PLC0415  # `--help` loads no SDK

    try:
        client.organizations.get(organization_id)
    except (NotFoundError, PermissionDeniedError):
        return False
    return True


def _found(client: "Client", wanted: str | None) -> str:
    """The id of the organization that is meant: the one that is named, or the only one there is."""
    mine = client.organizations.list().organizations
    named = [each for each in mine if wanted in {None, each.organization_id, each.name}]
    if len(named) == 1:
        return named[0].organization_id
    known = ", ".join(f"{each.organization_id} ({each.name})" for each in mine)
    if not mine:
        message, hint = "You belong to no organization.", "Make one with `monkey orgs create NAME`."
    elif wanted and not named:
        message, hint = f"You belong to no organization {wanted!r}.", f"Yours: {known}."
    else:
        message, hint = (
            "You belong to several organizations.",
            f"Say --org, or `monkey config set organization ID`: {known}.",
        )
    raise CommandFailed(Exit.USAGE, "no_organization", message=message, hint=hint)
