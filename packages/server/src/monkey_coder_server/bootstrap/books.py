"""Stores and accounts: what both the gateway and the operator's commands stand on."""

import contextlib
import hmac
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from monkey_coder_server.adapters.limiter.memory import MemoryLimiter
from monkey_coder_server.adapters.mail import Outbox
from monkey_coder_server.adapters.one_time_codes import TotpCodes
from monkey_coder_server.adapters.passkeys import WebAuthnCeremonies
from monkey_coder_server.adapters.passwords import Argon2Pool, CommonPasswordFilter
from monkey_coder_server.adapters.recovery_codes import new_recovery_codes, recovery_digests
from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer, load_or_create_signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.storage.operations import UnusableDatabase
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.adapters.tokens import JwtTokens
from monkey_coder_server.bootstrap.house_rates import house_rates
from monkey_coder_server.bootstrap.mail import open_outbox
from monkey_coder_server.bootstrap.sign_in import sign_in_of
from monkey_coder_server.domain import api_keys
from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.domain.operators import OPERATOR
from monkey_coder_server.features import accounts
from monkey_coder_server.ports.accounts import AuditEntry
from monkey_coder_server.ports.clock import Ids
from monkey_coder_server.ports.factors import SecondFactorRules
from monkey_coder_server.ports.limiter import Limiter
from monkey_coder_server.settings import AwayError, Settings, SettingsError
from monkey_coder_server.web.auth import Authenticator, CredentialStores

ISSUER = "Monkey Coder"
"""Under this name authenticator apps show our codes."""


@dataclass(frozen=True, slots=True)
class Books:
    """The stores, and what accounts are made with: all that operator commands need."""

    settings: Settings
    clock: SystemClock
    ids: Ids
    signer: Ed25519Signer
    storage: Storage
    limiter: Limiter
    outbox: Outbox
    authenticator: Authenticator
    accounts: accounts.Dependencies

    async def note(self, action: str, target: str, details: str = "") -> None:
        """Tell the audit trail what the operator does."""
        await self.storage.audit.record(
            AuditEntry(OPERATOR, action, target=target, at=self.clock.now(), details=details)
        )


def peppers_of(settings: Settings) -> api_keys.Peppers:
    """The secrets keys are digested with, the one of new keys first."""
    return api_keys.Peppers(tuple([each.reveal().encode() for each in (settings.key_pepper, *settings.old_peppers)]))


def refusal(unusable: UnusableDatabase) -> SettingsError:
    """What a start is refused with for a database that cannot be opened."""
    return AwayError(str(unusable)) if unusable.away else SettingsError(str(unusable))


async def _open_storage(settings: Settings, signer: Ed25519Signer, clock: SystemClock) -> Storage:
    try:
        storage = await open_storage(settings.database_url.reveal(), signer=signer, clock=clock)
    except UnusableDatabase as unusable:
        raise refusal(unusable) from unusable
    storage.keys.trust(settings.key_staleness_seconds)
    return storage


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """What a database that goes away in the middle of a start is to the operator: a `SettingsError` is raised."""
    try:
        yield
    except UnusableDatabase as unusable:
        raise refusal(unusable) from unusable
    except Unavailable as away:
        message = f"The database went away while the gateway started: {away.message}"
        raise AwayError(message) from away


@contextlib.asynccontextmanager
async def open_books(settings: Settings) -> AsyncIterator[Books]:
    """Open the stores; closed, with everything durable, at the end of the block. Raises `SettingsError`."""
    clock, ids, sign_in = SystemClock(), system_ids(), sign_in_of(settings.sign_in)
    signer = load_or_create_signer(settings.data_dir)
    pepper, peppers = settings.key_pepper.reveal().encode(), peppers_of(settings)
    passwords = Argon2Pool(threads=max(1, min(4, os.cpu_count() or 1)))
    signing = [each.reveal() for each in (settings.jwt_secret_key, *settings.old_jwt_secrets)]
    tokens = JwtTokens(*signing, new_id=ids.new)
    limiter = MemoryLimiter(clock.monotonic)
    storage = await _open_storage(settings, signer, clock)
    outbox = open_outbox(settings.mail, ids)

    authenticator = Authenticator(peppers=peppers, stores=_credentials(storage), tokens=tokens, clock=clock)
    use = accounts.Dependencies(
        accounts=storage.accounts,
        sessions=storage.sessions,
        memberships=storage.memberships,
        operators=storage.operators,
        organizations=storage.organizations,
        teams=storage.teams,
        model_rules=storage.model_rules,
        rates=storage.rates,
        house_rates=house_rates(settings),
        plans=storage.plans,
        account_plans=storage.account_plans,
        identities=storage.identities,
        sign_in=sign_in.providers,
        tickets=storage.tickets,
        tries=storage.tries,
        keys=storage.keys,
        ledger=storage.ledger,
        credit=storage.ledger,
        limits=storage.limits,
        recall=lambda account_id: storage.books.recall(account_id, OPERATOR),
        audit=storage.audit,
        factors=_factors(settings, storage),
        limiter=limiter,
        passwords=passwords,
        common_passwords=CommonPasswordFilter(),
        tokens=tokens,
        authenticator=authenticator,
        letters=accounts.Letters(outbox, settings.base_url),
        clock=clock,
        ids=ids,
        mint_key=_minting(settings, pepper, peppers),
        random_text=lambda: secrets.token_urlsafe(32),
        successor=lambda text: hmac.digest(pepper, b"successor\0" + text.encode(), "sha256").hex(),
        trial_credit=parse_usd(settings.trial_credit_usd),
        base_url=settings.base_url,
    )
    try:
        yield Books(settings, clock, ids, signer, storage, limiter, outbox, authenticator, use)
    finally:
        await sign_in.close()
        await outbox.close()
        passwords.close()
        await storage.close()


def _minting(settings: Settings, pepper: bytes, peppers: api_keys.Peppers) -> Callable[[], accounts.FreshKey]:
    """Makes API keys, each digested with the newest pepper."""
    environment = "live" if settings.production else "dev"

    def minted() -> accounts.FreshKey:
        key = api_keys.compose(environment, secrets.token_bytes(api_keys.RANDOM_BYTES))
        return accounts.FreshKey(key.text, key.display, api_keys.digest(pepper, key), peppers.versions[0])

    return minted


def _credentials(storage: Storage) -> CredentialStores:
    return CredentialStores(
        keys=storage.keys,
        sessions=storage.sessions,
        memberships=storage.memberships,
        operators=storage.operators,
        rules=storage.model_rules,
        plans=storage.account_plans,
    )


def _factors(settings: Settings, storage: Storage) -> accounts.FactorTools:
    """Secrets of second factors are sealed and digested under keys of their own, derived from the pepper."""
    peppers = [each.reveal().encode() for each in (settings.key_pepper, *settings.old_peppers)]
    return accounts.FactorTools(
        rules=SecondFactorRules(SecondFactors(settings.second_factors), storage.factors),
        codes=TotpCodes(ISSUER),
        ceremonies=WebAuthnCeremonies(settings.base_url),
        sealing=AesSealing(*peppers),
        new_recovery_codes=new_recovery_codes,
        recovery_digests=partial(recovery_digests, peppers),
    )
