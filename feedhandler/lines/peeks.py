"""The compiled look at the packets of each transport that has lines."""

from __future__ import annotations

from feedhandler.lines.peek import peeker
from feedhandler.transports import cme, iextp, memoir, moldudp64, siac, suh, xdp

peek_moldudp64 = peeker(moldudp64.TRANSPORT)
peek_suh = peeker(suh.TRANSPORT)
peek_cme = peeker(cme.TRANSPORT)
peek_iextp = peeker(iextp.TRANSPORT)
peek_memoir = peeker(memoir.TRANSPORT)
peek_siac = peeker(siac.TRANSPORT)
peek_xdp = peeker(xdp.TRANSPORT)
