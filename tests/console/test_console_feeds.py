"""`sweepwire feeds` and the documentation pages: every table is there, with its numbers."""

import json

import pytest

from console.main import run
from feedhandler.feed import protocols
from feedhandler.registry import FEEDS, names


def test_all_feeds_are_listed(capsys):
    assert run(["feeds"]) == 0
    out = capsys.readouterr().out
    for feed in FEEDS:
        found = [x for x in out.splitlines() if x.split()[:2] == [feed.name, feed.version]]
        codes = [str(record.code) for _, table in protocols(feed) for record in table.records]
        assert len(found) == 1 and found[0].split()[-len(codes) :] == codes


@pytest.mark.parametrize("name", names())
def test_message_types_are_listed_with_their_sizes(capsys, name):
    assert run(["feeds", name]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for feed in FEEDS:
        if feed.name != name:
            continue
        for _, protocol in protocols(feed):
            for record in protocol.records:
                longer = "+" if protocol.longer_allowed(record) else ""
                row = [str(record.code), *record.name.split(), f"{record.size}{longer}"]
                assert any(cells[: len(row)] == row for cells in lines), record


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.full_name)
def test_the_page_has_every_field_at_its_offset(capsys, feed):
    assert run(["feeds", feed.full_name, "--page"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"# {feed.title}")
    records = [record for _, protocol in protocols(feed) for record in protocol.records]
    for record in [*records, *([feed.transport.header] if feed.transport.header else [])]:
        for field in record.fields:
            assert f"| {field.offset} | {field.width} | `{field.name}` |" in page
        for tail in record.tails:
            for row in tail.rows():
                assert row[0].replace("|", "\\|") in page


def test_every_row_of_a_page_has_five_cells(capsys):
    for name in names():
        assert run(["feeds", name, "--page"]) == 0
        for line in capsys.readouterr().out.splitlines():
            if line.startswith("|"):
                assert line.replace("\\|", "").count("|") == 6, line


def test_doctor_prints_facts(capsys):
    assert run(["doctor"]) == 0
    assert "backend replay" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 0
    found = {fact["name"]: fact for fact in json.loads(capsys.readouterr().out)}
    assert found["backend replay"]["grade"] == "ok"
    assert set(found["backend replay"]) == {"name", "value", "grade", "advice"}
