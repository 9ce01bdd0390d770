"""What nobody knows: a rule that asks for it is lost, unless it says what is to be done then."""


class NotKnown(KeyError):
    """A rule asked for something that nobody knows now: its relay is lost until it is known."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name)
        self.name, self.why = name, why

    def __str__(self) -> str:
        return f"{self.name} is not known: {self.why}"
