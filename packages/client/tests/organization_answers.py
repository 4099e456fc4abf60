"""What a gateway says of organizations."""

from typing import Any

ORGANIZATION: dict[str, Any] = {
    "organization_id": "acc_firm",
    "name": "Firm",
    "role": "owner",
    "second_factor_required": False,
    "created_at": "2026-11-29T20:00:00+00:00",
}
ORGANIZATIONS: dict[str, Any] = {"organizations": [ORGANIZATION], "count": 1}
MEMBER: dict[str, Any] = {
    "user_id": "usr_bob",
    "email": "bob@example.com",
    "name": "Bob",
    "role": "viewer",
    "service_account": False,
    "joined_at": "2026-11-29T20:00:00+00:00",
}
MEMBERS: dict[str, Any] = {"members": [MEMBER], "count": 1}
INVITATION: dict[str, Any] = {
    "invitation_id": "inv_1",
    "email": "cy@example.com",
    "role": "viewer",
    "invited_by": "usr_ada",
    "expires_at": "2026-12-06T20:00:00+00:00",
}
TEAM: dict[str, Any] = {"team_id": "team_1", "name": "Web", "created_at": "2026-11-29T20:00:00+00:00"}
PROJECT: dict[str, Any] = {"project_id": "shop", "name": "Shop", "team_id": "team_1", "created_at": "then"}
LIMIT: dict[str, Any] = {
    "scope": "team",
    "holder": "team",
    "holder_id": "team_1",
    "model": None,
    "period": "month",
    "unit": "money",
    "limit": "200.00",
    "spent": "1.00",
    "held": "0.00",
    "left": "199.00",
    "resets_at": None,
}
LIMITS: dict[str, Any] = {"limits": [LIMIT], "count": 1}
RATE: dict[str, Any] = {
    "measure": "requests",
    "limit": 600,
    "holder": "team",
    "holder_id": "team_1",
    "source": "team",
    "model": None,
    "setting": None,
    "tightest": True,
}
RATES: dict[str, Any] = {"rates": [RATE], "count": 1}
RULE: dict[str, Any] = {"holder": "team", "holder_id": "team_1", "allow": [], "deny": ["xai/*"], "collapse": "vote"}
RULES: dict[str, Any] = {"rules": [RULE], "count": 1}
POLICY: dict[str, Any] = {
    "key_id": "key_1",
    "scopes": ["execute"],
    "team_id": "team_1",
    "project_id": "shop",
    "plan": "default",
    "rates": [RATE],
    "limits": [LIMIT],
    "tightest": [LIMIT],
    "rules": [RULE],
    "models": ["openai/gpt-5"],
    "excluded": [
        {
            "model": "xai/grok",
            "rule": "deny",
            "holder": "team",
            "holder_id": "team_1",
            "source": "team",
            "reason": "A rule of the team team_1 denies it.",
        }
    ],
    "collapse": "vote",
}
SAID: dict[str, Any] = {"message": "Done."}
