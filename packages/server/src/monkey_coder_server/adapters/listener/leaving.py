"""Whether a listener leaves its port to others."""


class Leaving:
    """Of one listener, known to its connections. `begun`: each answer says that its connection ends with it."""

    def __init__(self) -> None:
        self.begun = False
