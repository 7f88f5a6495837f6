"""The receive loop over the real captures: every frame ends as the slow parser says."""

from collections import Counter

import numpy as np
from test_feedhandler_frame import twin

from feedhandler.loop import run
from feedhandler.stateblock import LoopOptions, create_state, reason_counts
from nic import regions
from nic.port import open_port

FRAMES_MAX = 20_000  # the slow parser takes its time; larger captures are left out
SIZE_MAX_BYTES = 2_000_000


def test_reasons_of_every_real_frame(real_captures):
    captures = [
        path
        for path in sorted(real_captures.glob("*/*.pcap*"))
        if path.suffix in (".pcap", ".pcapng") and path.stat().st_size < SIZE_MAX_BYTES
    ]
    assert captures, f"{real_captures}: expected capture files one folder down"
    before = regions.violations().count
    for path in captures:
        with open_port(f"replay:{path}") as port:
            block = create_state([port], [], LoopOptions(default_channel=0))
            with regions.allowed(block, *port.regions):
                received = run(np.uint64(block.address))
            found = reason_counts(block, 0)
        with open_port(f"replay:{path}") as port:
            frames = port.receive(FRAMES_MAX + 1)
        if len(frames) > FRAMES_MAX:
            continue
        assert received == len(frames), path
        assert found == Counter(twin(f.data, f.link_type)[0] for f in frames), path
    assert regions.violations().count == before
