"""What the gateway says about the version that answered."""

import dataclasses
import datetime
import email.utils
import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

_logger = logging.getLogger("pinion")
_TOLD_MAX = 1024  # then all are forgotten, and told again
_SUCCESSOR = re.compile(r'<([^>]*)>.*rel="successor-version"')


@dataclasses.dataclass(frozen=True)
class Notice:
    """That the version which answers will end."""

    grpc_service: str
    version: str
    deprecated: datetime.datetime | None
    """Since when (RFC 9745); None: it cannot be read."""
    sunset: datetime.datetime | None = None
    """When it ends (RFC 8594); None: not announced."""
    link: str = ""
    """About what comes instead."""


@dataclasses.dataclass(frozen=True)
class Response:
    """What `response` reads."""

    version: str = ""
    """Empty: no version answered."""
    notice: Notice | None = None


def response(call: Any, header: str = "api-version") -> Response:
    """Of a call that has been answered: of `with_call`, of `future`, of a stream that has brought a message, or of an error."""
    method = getattr(call, "pinion_method", "")
    return read(call.initial_metadata(), method, header) or read(call.trailing_metadata(), method, header) or Response()


def read(metadata: Iterable[tuple[str, Any]] | None, method: str, header: str) -> Response | None:
    """None when the metadata names no version."""
    said: dict[str, list[str]] = {}
    for name, value in metadata or ():
        said.setdefault(name, []).append(value)
    if header not in said:
        return None
    version = said[header][-1]
    if "deprecation" not in said:
        return Response(version)
    links = [found.group(1) for link in said.get("link", ()) if (found := _SUCCESSOR.match(link))]
    return Response(version, Notice(method.strip("/").partition("/")[0], version, _unix_time(said["deprecation"][0]),
                                    _http_date(said.get("sunset", [""])[0]), links[-1] if links else ""))


def _unix_time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromtimestamp(int(text.removeprefix("@")), datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _http_date(text: str) -> datetime.datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None


class Notices:
    """Tells each different notice once, from any thread."""

    def __init__(self, notify: Callable[[Notice], None] | None, logger: logging.Logger | None):
        self._notify, self._logger = notify, logger or _logger
        self._lock = threading.Lock()
        self._told: set[Notice] = set()

    def tell(self, notice: Notice) -> None:
        with self._lock:
            if notice in self._told:
                return
            if len(self._told) >= _TOLD_MAX:
                self._told.clear()
            self._told.add(notice)
        self._logger.warning("calls of %s are answered by version %s, deprecated since %s%s%s", notice.grpc_service, notice.version,
                             notice.deprecated, f", which ends on {notice.sunset}" if notice.sunset else "",
                             f"; see {notice.link}" if notice.link else "")
        if self._notify:
            self._notify(notice)
