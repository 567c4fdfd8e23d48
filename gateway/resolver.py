"""DNS look-ups in daemon threads, so that a dead name server blocks nothing else."""

import asyncio
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Thread

type Addresses = list[IPv4Address | IPv6Address]


class Resolver:
    """Look-ups by the system's resolver, one at a time per name; callers share its result.

    A look-up cannot be cancelled and may take half a minute. In the event loop's thread pool it
    would block other work and the end of the process; a daemon thread blocks neither.
    """

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], asyncio.Future[Addresses]] = {}

    async def resolve(self, host: str, port: int) -> Addresses:
        """Return the IP addresses of a host name or of a literal address, the preferred one first.

        Args:
            host: a name, or an IP address as text.
            port: TCP port.

        Raises:
            OSError: the name has no address, or the look-up failed.

        """
        with suppress(ValueError):
            return [ip_address(host)]
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = self._lookups[host, port] = self._start_lookup(host, port)
        return await asyncio.shield(lookup)

    def _start_lookup(self, host: str, port: int) -> asyncio.Future[Addresses]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Addresses] = loop.create_future()

        def settle(found: Addresses | OSError) -> None:
            del self._lookups[host, port]
            if isinstance(found, OSError):
                answer.set_exception(found)
                answer.exception()  # mark it as retrieved: the caller may be gone
            else:
                answer.set_result(found)

        def look_up() -> None:
            found = _look_up(host, port)
            with suppress(RuntimeError):  # the loop is closed: no caller is left
                loop.call_soon_threadsafe(settle, found)

        Thread(target=look_up, name="resolver", daemon=True).start()
        return answer


def _look_up(host: str, port: int) -> Addresses | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:  # not a name, e.g. one with a label of 64 characters
        return OSError("not a name")
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))
