"""What `sweepwire replay` says of lines that carry the same data."""

import json

from console_made import ROOT

from console.main import run
from console.report import tables
from console.screen import console


def test_the_samples_two_lines_are_read_once_and_compared(capsys):
    samples = ROOT / "captures" / "samples"
    captures = [str(path) for path in sorted(samples.glob("*.pcap"))]
    channels = ["--channels", str(samples / "channels.toml")]
    assert run(["replay", *captures, *channels, "--json", "-"]) == 0
    seen = json.loads(capsys.readouterr().out)
    (stream,) = seen["lines"]
    assert (stream["name"], stream["state"], stream["gaps"], stream["lost"]) == (
        "nasdaq",
        "live",
        0,
        0,
    )
    first, second = stream["lines"]
    assert (first["line"], first["first"], first["duplicates"]) == ("A", 150, 0)
    assert (second["line"], second["first"], second["duplicates"]) == ("B", 0, 150)
    assert first["lead_mean_ns"] == 350.0 and first["lead_ns_from"] == {"256": 150}
    by_line = {c["line"]: c["messages"] for c in seen["channels"] if c["name"] == "nasdaq"}
    assert by_line["A"] == stream["delivered"] and by_line["B"] == 0
    out = console()
    with out.capture() as written:
        out.print(tables(seen))
    assert "nasdaq: live" in written.get() and "ns ahead" in written.get()
