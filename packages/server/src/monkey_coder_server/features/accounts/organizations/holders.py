"""Whom limits and rules of an organization are set for: itself, its teams, its projects and its keys."""

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.features.accounts.dependencies import Dependencies

SETTABLE = (HolderKind.ORGANIZATION, HolderKind.TEAM, HolderKind.PROJECT, HolderKind.KEY)
"""An account's own limit is the operator's."""


async def holder_of(use: Dependencies, account_id: str, *, kind: str, holder_id: str | None) -> Holder:
    """The holder of these words, which exists. Raises `InvalidRequest`, `NotFound`."""
    if kind not in SETTABLE:
        message = f"The field `holder` must be one of {', '.join(SETTABLE)}."
        raise InvalidRequest(message)
    chosen = HolderKind(kind)
    if chosen is HolderKind.ORGANIZATION:
        return Holder(chosen, account_id)
    if holder_id is None:
        message = f"The field `holder_id` is missing: it names the {kind}."
        raise InvalidRequest(message)
    if holder_id not in await _ids(use, account_id, chosen):
        message = f"This organization has no {kind} of the id that `holder_id` names."
        raise NotFound(message)
    return Holder(chosen, holder_id)


async def place_of(use: Dependencies, account_id: str, project_id: str | None) -> tuple[str | None, str | None]:
    """A key's project and its team. An organization's project must exist; alone any name will do.

    Raises `NotFound`.
    """
    if project_id is None:
        return None, None
    for project in await use.teams.projects(account_id):
        if project.project_id == project_id:
            return project_id, project.team_id
    if await use.organizations.find(account_id) is not None:
        raise NotFound("This organization has no project of that `project_id`; make it first.")
    return project_id, None


async def _ids(use: Dependencies, account_id: str, kind: HolderKind) -> set[str]:
    if kind is HolderKind.TEAM:
        return {team.team_id for team in await use.teams.teams(account_id)}
    if kind is HolderKind.PROJECT:
        return {project.project_id for project in await use.teams.projects(account_id)}
    return {key.key_id for key in await use.keys.list(account_id)}
