"""Looks names up on threads that nobody waits for, so that a dead name server holds up nothing."""

import asyncio
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Thread

type Addresses = list[IPv4Address | IPv6Address]


class Resolver:
    """Asks the system, once at a time a name, whoever waits for the answer.

    Such a question cannot be cancelled and may take half a minute. On the pool that everybody
    shares it would hold up others, and the end of the process with them; a daemon does neither.
    """

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], asyncio.Future[Addresses]] = {}

    async def resolve(self, host: str, port: int) -> Addresses:
        """Give the addresses of a name, or of one that is written out, the best first.

        Raises:
            OSError: the name has none, or nobody knows.

        """
        with suppress(ValueError):
            return [ip_address(host)]
        asked = self._lookups.get((host, port))
        if asked is None:
            asked = self._lookups[host, port] = self._start_lookup(host, port)
        return await asyncio.shield(asked)

    def _start_lookup(self, host: str, port: int) -> asyncio.Future[Addresses]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Addresses] = loop.create_future()

        def settle(found: Addresses | OSError) -> None:
            del self._lookups[host, port]
            if isinstance(found, OSError):
                answer.set_exception(found)
                answer.exception()  # whoever asked may be gone by now
            else:
                answer.set_result(found)

        def look_up() -> None:
            found = _look_up(host, port)
            with suppress(RuntimeError):  # the loop is closed: nobody asks any more
                loop.call_soon_threadsafe(settle, found)

        Thread(target=look_up, name="resolver", daemon=True).start()
        return answer


def _look_up(host: str, port: int) -> Addresses | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:  # no name at all, e.g. one with a label of 64 characters
        return OSError("not a name")
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))
