"""What telemetry is told of a finished request: figures and names only."""

from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.ports.ledger import Charge, FailedRequest, Settlement
from monkey_coder_server.ports.telemetry import RequestRecord

SERVED = "served"
CACHE = "cache"
"""In the place of a provider."""


def served_record(served: Served, charge: Charge) -> RequestRecord:
    """The record of an answer that was charged."""
    job, usage = served.job, served.total
    return RequestRecord(
        request_id=job.request_id,
        account_id=job.principal.account_id,
        key_id=job.principal.key_id,
        endpoint=job.endpoint,
        status=SERVED,
        provider=served.route.provider.name,
        model=served.route.card.model,
        stream=job.stream,
        task_type=job.wishes.task_type,
        persona=job.wishes.persona.name,
        latency_ms=served.latency_ms,
        first_byte_ms=served.first_byte_ms,
        input_tokens=usage.input,
        cached_tokens=usage.cache_read,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        price=charge.charged,
        provider_cost=charge.provider_cost,
        loss=charge.loss,
        estimated=usage.estimated,
        client_gone=served.client_gone,
        attempts=served.attempts,
    )


def recalled_record(job: Job, settlement: Settlement) -> RequestRecord:
    """The record of a kept answer that was given again: no provider was waited for, so none is named."""
    return RequestRecord(
        request_id=job.request_id,
        account_id=job.principal.account_id,
        key_id=job.principal.key_id,
        endpoint=job.endpoint,
        status=SERVED,
        provider=CACHE,
        model=settlement.model,
        stream=job.stream,
        task_type=job.wishes.task_type,
        persona=job.wishes.persona.name,
        latency_ms=settlement.latency_ms,
        client_gone=settlement.client_gone,
    )


def failed_record(job: Job, failed: FailedRequest) -> RequestRecord:
    """The record of a request nobody is charged for; what it cost us is the house's loss."""
    return RequestRecord(
        request_id=failed.request_id,
        account_id=failed.account_id,
        key_id=failed.key_id,
        endpoint=job.endpoint,
        status=failed.error_code,
        provider=failed.provider,
        model=failed.model,
        stream=failed.stream,
        task_type=failed.task_type,
        persona=failed.persona,
        latency_ms=failed.latency_ms,
        input_tokens=failed.usage.input,
        cached_tokens=failed.usage.cache_read,
        output_tokens=failed.usage.output,
        reasoning_tokens=failed.usage.reasoning,
        provider_cost=failed.provider_cost,
        loss=failed.provider_cost,
        estimated=failed.usage.estimated,
        attempts=failed.attempts,
    )
