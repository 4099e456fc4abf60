"""A cell of the matrix: one scenario, in one dialect, over one provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tests.matrix.models import PLAIN, Limit, limit_of, provider_of
from tests.matrix.stage import Stage
from tests.matrix.words import Conversation, Driver, Said


class Place(NamedTuple):
    """Which cell."""

    scenario: str
    dialect: str
    column: str

    @property
    def name(self) -> str:
        """As pytest shows it."""
        return "-".join(self).replace(" ", "_").replace(",", "")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with what it is played on. `mark` is in no other cell's requests."""

    place: Place
    stage: Stage

    @property
    def driver(self) -> Driver:
        """The dialect's SDK."""
        return self.stage.drivers[self.place.dialect]

    @property
    def provider(self) -> str:
        """The provider's name."""
        return provider_of(self.place.column)

    @property
    def mark(self) -> str:
        """A word no other cell says."""
        return self.place.name

    @property
    def limit(self) -> Limit | None:
        """What the provider or the dialect cannot do of it."""
        return limit_of(self.place.dialect, self.place.column, self.place.scenario)

    def talk(self, models: Mapping[str, str] = PLAIN, *, driver: Driver | None = None) -> Conversation:
        """Begin a conversation with the provider's model of that table."""
        return (driver or self.driver).talk(f"{self.provider}/{models[self.place.column]}")

    def received(self) -> str:
        """The last request with this cell's mark that the provider's simulator was sent: its body, as JSON."""
        return self.stage.received(self.provider, self.mark)

    def check(self, said: Said, finish: str) -> None:
        """What holds for every answer: how it ended in the dialect's own word, and that it is booked as it was told."""
        assert said.finish == self.driver.finishes[finish], f"ended as {said.finish}, not {finish}"
        row = self.stage.booked(said, self.provider)
        assert 0 < row.price == row.charged


Scenario = Callable[[Cell], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Put a scenario into the matrix under that name."""

    def put(play: Scenario) -> Scenario:
        SCENARIOS[name] = play
        return play

    return put


def told(directive: str, words: str = "") -> str:
    """A prompt that tells the simulator what to do."""
    return f"{words or 'Say it.'} [[sandbox {directive}]]"
