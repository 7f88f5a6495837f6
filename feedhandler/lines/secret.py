"""Passwords and tokens: what must show in no error, log line or repr."""

from __future__ import annotations


class Secret:
    """Text that shows as ***; only `reveal` gives it.

    Args:
        text: printable ASCII.
        most: characters that the field on the wire holds.
        what: its name, for errors.

    Raises:
        ValueError: when it does not fit; says how long it may be, never what it is.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str, most: int, what: str = "password") -> None:
        if not (text.isascii() and text.isprintable()):
            raise ValueError(f"{what}: not printable ASCII")
        if len(text) > most:
            raise ValueError(f"{what}: {len(text)} characters, the field holds {most}")
        self._text = text

    def reveal(self) -> str:
        """The text, for the bytes of a login and nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "***"
