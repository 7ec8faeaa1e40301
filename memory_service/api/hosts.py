"""Which hosts a service without keys answers for.

A page of another site can have its own name resolve to 127.0.0.1 and then read what a local service answers: DNS rebinding. The
browser still sends that name as Host, so a service that is open to this machine answers only for names of this machine.
"""

import ipaddress
import re
from typing import Final

_HOST: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")
"""RFC 9110, section 7.2: a name, an IPv4 address or an IPv6 one in brackets, and a port."""


def names_this_machine(header: str, own: str) -> bool:
    """Whether a Host header is a loopback name or address, or `own`, with any port."""
    match = _HOST.fullmatch(header.strip())
    if match is None:
        return False
    host = match[1].lower()
    if host in ("localhost", own.lower()):
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False
