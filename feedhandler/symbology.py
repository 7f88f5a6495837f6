"""How venues spell a security, and the one spelling this house uses.

Three conventions are in use in US equities (source: Nasdaq's ticker symbol convention table at
nasdaqtrader.com, Cboe's US Equity/Options Symbology Reference):

    security                   Nasdaq integrated   CQS (consolidated tape)   CMS
    preferred, of class A      BAC-   BAC-A        BACp   BACpA              BAC PR   BAC PRA
    class A                    BRK.A               BRK.A  or BRK/A           BRK A
    warrants, of class A       F+     F+A          F.WS   F.WS.A (or /)      F WS     F WSA
    rights                     F^                  Fr                        F RT
    units                      F=                  F.U    (or /)             F U
    when issued                F#                  Fw                        F WI
    when distributed           F$                  F.WD                      F WD
    called                     F*                  F.CL                      F CL
    convertible                F%                  F.CV                      F CV
    emerging company           F!                  F.EC                      F EC
    partly paid                F@                  F.PP                      F PP
    test                       F~                  F.TEST                    F TEST

Marks follow each other in the order of the security: BAC-A# is the preferred A when issued, BACpAw
and BAC PRAWI. In CQS and CMS a lone U is units, in Nasdaq's .U is class U. Nasdaq-listed securities
have a fifth letter instead of a suffix everywhere and are plain text.

Nasdaq, Cboe and IEX send the Nasdaq spelling, the consolidated tapes CQS, MEMX root and CMS suffix
in two fields, the NYSE group its own spelling, which is CMS with a space; it is read tolerantly
here: what has no space is taken as CQS. The one spelling of this house is Nasdaq's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

PREFERRED, WARRANTS, RIGHTS, UNITS, SHARES = "preferred", "warrants", "rights", "units", ""
MARKS: Final = {  # Nasdaq, CQS, CMS
    "when distributed": ("$", ".WD", "WD"),
    "called": ("*", ".CL", "CL"),
    "convertible": ("%", ".CV", "CV"),
    "emerging": ("!", ".EC", "EC"),
    "partly paid": ("@", ".PP", "PP"),
    "when issued": ("#", "w", "WI"),
    "test": ("~", ".TEST", "TEST"),
}
ISSUES: Final = {
    PREFERRED: ("-", "p", "PR"),
    WARRANTS: ("+", ".WS", "WS"),
    RIGHTS: ("^", "r", "RT"),
    UNITS: ("=", ".U", "U"),
}


class Convention(Enum):
    """A way to spell: the column of the tables above."""

    NASDAQ = 0
    CQS = 1
    CMS = 2
    NYSE = 3  # CMS, or CQS where there is no space
    PLAIN = 4  # no security's: contracts of futures and options, taken as they are


@dataclass(frozen=True)
class Security:
    """A security taken apart.

    Attributes:
        root: the issuer's letters.
        issue: "preferred", "warrants", "rights", "units" or "" (shares).
        letter: its class, or "".
        marks: names of MARKS, in order.
    """

    root: str
    issue: str = SHARES
    letter: str = ""
    marks: tuple[str, ...] = ()

    @property
    def is_test(self) -> bool:
        """Whether the spelling says that it is a test security."""
        return "test" in self.marks

    def spell(self, convention: Convention = Convention.NASDAQ) -> str:
        """The security in a convention."""
        column = min(convention.value, Convention.CMS.value)
        made = ISSUES[self.issue][column] if self.issue else ""
        if self.letter:
            lone = self.issue == SHARES or (self.issue == WARRANTS and column == 1)
            made += ("." if lone and column != 2 else "") + self.letter
        made += "".join(MARKS[mark][column] for mark in self.marks)
        return f"{self.root} {made}" if column == 2 and made else self.root + made


def _pattern(column: int) -> re.Pattern[str]:
    """The suffixes of a convention; classes U and the marks' letters are told apart by trying."""
    issue = {name: re.escape(spelt[column]) for name, spelt in ISSUES.items()}
    dot = "" if column == 2 else r"\."
    warrant_class = r"(?:\.([A-Z]))?" if column == 1 else "([A-Z])?"
    share_class = f"{dot}([A-Z])" if column == 0 else f"{dot}([A-TV-Z])"
    marks = "|".join(re.escape(spelt[column]) for spelt in MARKS.values())
    return re.compile(
        f"(?:({issue[PREFERRED]})([A-Z])?|({issue[WARRANTS]}){warrant_class}"
        f"|({issue[RIGHTS]})|({issue[UNITS]})|{share_class})?((?:{marks})*)"
    )


_SUFFIX = [_pattern(column) for column in range(3)]
_MARK = [
    re.compile("|".join(re.escape(spelt[column]) for spelt in MARKS.values()))
    for column in range(3)
]
_ROOT = re.compile("[A-Z]+")


def parse(text: str, convention: Convention) -> Security | None:
    """A spelling taken apart; None when it is not of the convention."""
    text = text.strip(" \0")
    if convention is Convention.PLAIN:
        return None
    if convention is Convention.NYSE:
        convention = Convention.CMS if " " in text else Convention.CQS
    root = _ROOT.match(text)
    if root is None:
        return None
    name, suffix, column = root[0], text[root.end() :], convention.value
    if convention is Convention.CMS:
        if suffix and not suffix.startswith(" "):
            return None
        suffix = suffix.strip()
    elif convention is Convention.CQS:
        suffix = suffix.replace("/", ".")
    found = _SUFFIX[column].fullmatch(suffix)
    if found is None:
        return None
    by_name = {spelt[column]: mark for mark, spelt in MARKS.items()}
    marks = tuple(by_name[mark] for mark in _MARK[column].findall(found[8]))
    preferred, preferred_class, warrants, warrants_class, rights, units, share_class, _ = (
        found.groups()
    )
    issue = next(
        (
            kind
            for kind, there in zip(ISSUES, (preferred, warrants, rights, units), strict=True)
            if there
        ),
        SHARES,
    )
    letter = preferred_class or warrants_class or share_class or ""
    return Security(name, issue, letter, marks)


def canonical(text: str, convention: Convention) -> str:
    """The one spelling of what a venue sends; its own text where that follows no rule."""
    found = parse(text, convention)
    return found.spell() if found is not None else text.strip(" \0")
