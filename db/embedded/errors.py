"""What can go wrong with the embedded server. Each message says what to do about it."""


class EmbeddedError(RuntimeError):
    """The embedded server cannot run here."""


class BinariesError(EmbeddedError):
    """There is no PostgreSQL to run, or the account that has to run it may not."""
