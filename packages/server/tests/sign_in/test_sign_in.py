"""Signing in elsewhere: there and back, whose account opens, and every way a provider or a thief may cheat."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest

from monkey_coder_server.adapters.oidc import GitHubHosts, GitHubSignIn
from monkey_coder_server.adapters.oidc.fetching import Fetching, checked
from monkey_coder_server.ports.sign_in import SignInRefused
from monkey_coder_server.settings import SettingsError, load
from packages.server.tests.conftest import House
from packages.server.tests.features.accounts.people import stranger
from packages.server.tests.sign_in.conftest import Trusting
from packages.server.tests.sign_in.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    PRIVATE,
    PUBLIC_PEM,
    STRANGE,
    Simulator,
)

pytestmark = pytest.mark.system
GENERIC = "/v1/auth/oauth/generic"


@dataclass(slots=True)
class Scene:
    """A gateway, and the provider it trusts."""

    house: House
    provider: Simulator
    name: str = "generic"
    headers: dict[str, str] = field(default_factory=dict)

    async def leave(self) -> dict[str, str]:
        """Go to the provider, say yes there; what one comes back with."""
        begun = await self.house.client.get(f"/v1/auth/oauth/{self.name}/initiate")
        assert begun.status_code == 200, begun.text
        assert begun.json()["pkce"] is True
        back = self.provider.consent(begun.json()["authorization_url"])
        assert back["state"] == begun.json()["state"]
        return back

    async def come_back(self, back: dict[str, str]) -> Any:
        return await self.house.client.get(f"/v1/auth/oauth/{self.name}/callback", params=back)

    async def sign_in(self) -> Any:
        return await self.come_back(await self.leave())


@pytest.fixture
def scene(trusting: Trusting) -> Scene:
    return Scene(trusting.house, trusting.provider)


async def test_a_newcomer_gets_an_account_and_the_same_one_ever_after(scene: Scene) -> None:
    first = (await scene.sign_in()).json()
    scene.provider.person = {"sub": "7", "email": "renamed@example.org", "email_verified": True}
    again = (await scene.sign_in()).json()
    assert first["user"]["email"] == "ada@example.org"
    assert again["user"]["id"] == first["user"]["id"]
    user = await scene.house.gateway.books.storage.accounts.by_id(first["user"]["id"])
    assert user is not None
    assert (user.password_hash, user.email_verified_at is not None) == ("", True)
    headers = {"authorization": f"Bearer {first['access_token']}"}
    listed = (await scene.house.client.get("/v1/auth/identities", headers=headers)).json()
    assert listed["identities"] == [{"provider": "generic", "email": "ada@example.org"}]
    for password in ("", "a password nobody has"):
        login = {"email": "ada@example.org", "password": password}
        assert (await scene.house.client.post("/v1/auth/login", json=login)).status_code == 401


async def test_an_address_alone_opens_no_account_that_is_there(scene: Scene) -> None:
    owner = await stranger(scene.house)
    scene.provider.person["email"] = owner.user.email.upper()
    refused = await scene.sign_in()
    assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
    assert "link" in refused.json()["detail"]
    assert (await scene.house.client.get("/v1/auth/identities", headers=owner.alone)).json()["identities"] == []


async def test_who_has_an_account_links_it_in_their_session_and_nobody_elses(scene: Scene) -> None:
    owner, thief = await stranger(scene.house), await stranger(scene.house)
    begun = (await scene.house.client.post(f"{GENERIC}/link", headers=owner.alone)).json()
    back = scene.provider.consent(begun["authorization_url"])
    assert (await scene.come_back(back)).status_code == 401
    place = f"{GENERIC}/link/complete"
    assert (await scene.house.client.post(place, json=back, headers=thief.alone)).status_code == 401
    assert (await scene.house.client.post(place, json=back, headers=owner.alone)).status_code == 200
    assert (await scene.house.client.post(place, json=back, headers=owner.alone)).status_code == 401
    assert (await scene.sign_in()).json()["user"]["id"] == owner.user.user_id
    again = (await scene.house.client.post(f"{GENERIC}/link", headers=thief.alone)).json()
    stolen = scene.provider.consent(again["authorization_url"])
    assert (await scene.house.client.post(place, json=stolen, headers=thief.alone)).status_code == 409


async def test_an_address_the_provider_has_not_verified_makes_no_account(scene: Scene) -> None:
    for value in (False, None, "true", 1):
        scene.provider.person = {"sub": "8", "email": "eve@example.org", "email_verified": value}
        assert (await scene.sign_in()).status_code == 401
    assert await scene.house.gateway.books.storage.accounts.by_email("eve@example.org") is None


async def test_a_state_is_good_once_and_for_what_it_was_given(scene: Scene) -> None:
    back = await scene.leave()
    for wrong in ({**back, "state": "invented"}, {**back, "state": ""}, {"state": back["state"]}):
        assert (await scene.come_back(wrong)).status_code in {400, 401}
    scene.name = "github"
    assert (await scene.come_back(back)).status_code == 401
    scene.name = "generic"
    assert (await scene.come_back(back)).status_code == 200
    assert (await scene.come_back(back)).status_code == 401


async def test_a_code_of_another_sign_in_is_none_of_ours(scene: Scene) -> None:
    mine, others = await scene.leave(), await scene.leave()
    assert (await scene.come_back({"state": mine["state"], "code": others["code"]})).status_code == 401


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://accounts.evil.example"},
        {"aud": "another client"},
        {"aud": ["gateway", "another client"]},
        {"aud": ["gateway", "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": int(time.time()) - 3_600},
        {"exp": None},
        {"iat": int(time.time()) + 3_600},
        {"sub": ""},
        {"sub": None},
    ],
)
async def test_a_token_with_a_wrong_claim_proves_nothing(scene: Scene, lie: dict[str, Any]) -> None:
    scene.provider.lie = lie
    refused = await scene.sign_in()
    assert (refused.status_code, refused.json()["error_code"]) == (401, "invalid_credentials")


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"})


def with_the_public_key(claims: dict[str, Any]) -> str:
    """HS256 under the text of the public key: what a checker that trusts `alg` takes."""
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT","kid":"k1"}')
    body = jwt.utils.base64url_encode(json.dumps(claims).encode())
    signed = jwt.get_algorithm_by_name("HS256")
    signature = signed.sign(head + b"." + body, PUBLIC_PEM)
    return b".".join((head, body, jwt.utils.base64url_encode(signature))).decode()


def with_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, STRANGE, algorithm="RS256", headers={"kid": "k1"})


def with_a_key_of_its_own(claims: dict[str, Any]) -> str:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(STRANGE.public_key()))
    return jwt.encode(claims, STRANGE, algorithm="RS256", headers={"kid": "k9", "jwk": jwk})


def with_another_algorithm(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, PRIVATE, algorithm="PS512", headers={"kid": "k1"})


@pytest.mark.parametrize(
    "forge",
    [unsigned, with_the_public_key, with_another_key, with_a_key_of_its_own, with_another_algorithm, lambda _: "", str],
)
async def test_a_token_that_is_not_the_providers_proves_nothing(scene: Scene, forge: Any) -> None:
    scene.provider.forge = forge
    assert (await scene.sign_in()).status_code == 401


async def test_a_provider_that_turns_its_keys_is_believed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await scene.sign_in()).status_code == 200
    monkeypatch.setattr("monkey_coder_server.adapters.oidc.openid.ASKED_AGAIN_AFTER", 0)
    scene.provider.key_id = "k2"
    assert (await scene.sign_in()).status_code == 200
    assert scene.provider.asked.count("discovery") == 2


async def test_a_provider_of_another_name_is_not_believed(scene: Scene) -> None:
    scene.provider.lie = {"issuer": "https://accounts.evil.example"}
    assert (await scene.house.client.get(f"{GENERIC}/initiate")).status_code == 401


async def test_github_says_who_somebody_is_by_its_api(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    github = scene.house.gateway.books.accounts.sign_in["github"]
    assert isinstance(github, GitHubSignIn)
    monkeypatch.setattr(github, "_hosts", GitHubHosts(scene.provider.issuer, scene.provider.issuer))
    scene.name = "github"
    body = (await scene.sign_in()).json()
    assert (body["user"]["email"], body["user"]["name"]) == ("ada@example.org", "Ada")
    mine, others = await scene.leave(), await scene.leave()
    assert (await scene.come_back({"state": mine["state"], "code": others["code"]})).status_code == 401
    scene.provider.person = {"sub": "9", "email": "eve@example.org", "email_verified": False}
    assert (await scene.sign_in()).status_code == 401


async def test_a_provider_that_is_away_is_told_as_that(scene: Scene) -> None:
    scene.provider.issuer = ""
    openid: Any = scene.house.gateway.books.accounts.sign_in["generic"]
    openid._client = type(openid._client)("http://127.0.0.1:9", CLIENT_ID, CLIENT_SECRET)
    refused = await scene.house.client.get(f"{GENERIC}/initiate")
    assert (refused.status_code, refused.json()["error_code"]) == (503, "unavailable")


async def test_only_providers_that_are_set_up_are_there(scene: Scene) -> None:
    for path in ("initiate", "callback?code=x&state=y"):
        assert (await scene.house.client.get(f"/v1/auth/oauth/google/{path}")).status_code == 404


@pytest.mark.parametrize(
    "url", ["http://example.com/token", "ftp://example.com", "https://", "file:///etc/passwd", "", "//example.com"]
)
def test_nothing_is_fetched_without_tls(url: str) -> None:
    with pytest.raises(SignInRefused):
        checked(url)


async def test_redirects_and_floods_are_not_followed(scene: Scene) -> None:
    fetching = Fetching()
    try:
        for path in ("moved", "flood", "nowhere"):
            with pytest.raises(SignInRefused):
                await fetching.get(f"{scene.provider.issuer}/{path}")
    finally:
        await fetching.close()


@pytest.mark.parametrize(
    "given",
    [
        {"OIDC_GOOGLE_CLIENT_ID": "x"},
        {"OIDC_GITHUB_CLIENT_SECRET": "x"},
        {"OIDC_GENERIC_CLIENT_ID": "x", "OIDC_GENERIC_CLIENT_SECRET": "y"},
        {
            "OIDC_GENERIC_ISSUER": "http://login.example.com",
            "OIDC_GENERIC_CLIENT_ID": "x",
            "OIDC_GENERIC_CLIENT_SECRET": "y",
        },
        {"OIDC_GENERIC_ISSUER": "https://login.example.com"},
    ],
)
def test_half_a_provider_is_refused_at_start(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="OIDC_"):
        load(given, folder=tmp_path)
