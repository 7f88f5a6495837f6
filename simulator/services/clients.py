"""Who may ask a service, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hmac import compare_digest

from feedhandler.lines.secret import Secret


def same_text(given: str, wanted: str) -> bool:
    """Whether two texts are the same, in a time that says nothing of where they differ."""
    return compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))


class Clients:
    """The clients that a service knows.

    Args:
        passwords: by name.
        most: characters that a password's field on the wire holds.
        what: how the protocol calls a password.

    Raises:
        ValueError: a password that does not fit; it is not in the text.
    """

    def __init__(self, passwords: Mapping[str, str], most: int, what: str = "password") -> None:
        self._secrets = {name: Secret(text, most, what) for name, text in passwords.items()}

    def find(self, name: str, password: str) -> bool:
        """Whether a client has this name and password; takes as long when it has not."""
        found = False
        for known, secret in self._secrets.items():
            found |= same_text(name, known) & same_text(password, secret.reveal())
        return found

    def named(self, password: str) -> str | None:
        """The client whose password, or token, this is."""
        found = None
        for known, secret in self._secrets.items():
            found = known if same_text(password, secret.reveal()) else found
        return found


class Quota:
    """How often each client may do something in a day. Args: most: times."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._counts: Counter[str] = Counter()

    def take(self, name: str) -> bool:
        """Counts once more; False, and nothing is counted, when there was no more."""
        if self._counts[name] >= self.most:
            return False
        self._counts[name] += 1
        return True
