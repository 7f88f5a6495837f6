"""Who may log in to a gateway, and what the venue does for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from feedhandler.lines.secret import Secret

LEAST_OWNER: Final = 1_000  # the order flow's own participants are below
NOBODY: Final = "no such account, but as long to compare"


@dataclass(frozen=True)
class Account:
    """An account of a venue.

    Attributes:
        password: shows nowhere.
        owner: its number at the matching.
        group: of self-trade prevention; 0: none.
        cancel_on_disconnect: its orders go when its connection does.
    """

    password: str = field(repr=False)
    owner: int
    group: int = 0
    cancel_on_disconnect: bool = False


def checked(accounts: Mapping[str, Account], name_most: int, most: int) -> dict[str, Account]:
    """The accounts.

    Args:
        name_most, most: characters that a login has for the name and the password.

    Raises:
        ValueError: an owner that is the flow's or another account's, a name or a password that does
            not fit; the password is not in the text.
    """
    owners: dict[int, str] = {}
    for name, account in accounts.items():
        Secret(name, name_most, "username")
        Secret(account.password, most)
        if account.owner < LEAST_OWNER:
            raise ValueError(f"account {name}: owner {account.owner} is below {LEAST_OWNER}")
        if account.owner in owners:
            raise ValueError(
                f"account {name}: owner {account.owner} is that of {owners[account.owner]}"
            )
        owners[account.owner] = name
    return dict(accounts)


def may_enter(account: Account | None, password: str) -> bool:
    """Whether a password opens an account; takes as long whether there is one or not."""
    wanted = NOBODY if account is None else account.password
    same = compare_digest(password.encode("utf-8"), wanted.encode("utf-8"))
    return same and account is not None
