"""What stands at every door against clients that ask again: in circles, or because a connection broke."""

from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.features.inference.job import Outcome
from monkey_coder_server.features.inference.kept import Kept
from monkey_coder_server.features.inference.loops import Loops
from monkey_coder_server.features.inference.repeats import Place, Repeats, place_of, retried
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.ports.front import Envelope, Inbound
from monkey_coder_server.ports.record import Record


class Knock(Record, frozen=True, kw_only=True):
    """A request as it came: who sent what to which dialect, and what was read in it."""

    key_id: str
    dialect: str
    endpoint: str
    envelope: Envelope
    inbound: Inbound
    body: bytes


class Guards(Record, frozen=True):
    """Agents alone are watched: what offers tools or names a session. A script may ask the same a thousand times."""

    loops: Loops
    repeats: Repeats

    def place(self, knock: Knock) -> Place | None:
        """Where a repeat of the request would be found. Raises `InvalidRequest` for an agent that goes in circles."""
        if knock.inbound.kind is not Kind.CHAT:
            return None
        place = place_of(knock.key_id, knock.dialect, knock.envelope, knock.body)
        if place is not None or knock.inbound.request.tools:
            self.loops.count(knock.key_id, knock.endpoint, knock.body)
        return place

    def find(self, place: Place, knock: Knock) -> Kept | None:
        """The answer of the request this one is the repeat of."""
        return self.repeats.find(place, stream=knock.inbound.stream, retry=retried(knock.envelope.headers))

    def keep(self, place: Place, knock: Knock, run: Run[Outcome]) -> Kept | None:
        """Keep what comes of the request for its repeats."""
        return self.repeats.keep(place, run, stream=knock.inbound.stream, body_bytes=len(knock.body))
