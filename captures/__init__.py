"""Capture files of any common format as streams of packets, read in place."""

from captures.errors import CaptureError
from captures.merge import MergedCapture, MergedFrame, merge_captures
from captures.reader import Capture, Frame, open_capture
from captures.records import MERGED_DTYPE, PACKET_DTYPE, TRAILER_DTYPE, link_name
from captures.trailers import TrailerReader
from captures.writer import PcapWriter

__all__ = [
    "MERGED_DTYPE",
    "PACKET_DTYPE",
    "TRAILER_DTYPE",
    "Capture",
    "CaptureError",
    "Frame",
    "MergedCapture",
    "MergedFrame",
    "PcapWriter",
    "TrailerReader",
    "link_name",
    "merge_captures",
    "open_capture",
]
