"""What schemathesis sends, counted where it is sent; and what it would do in between, turned off."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.generation import metrics

from tests.faults.rig import Advance
from tests.fuzz.breaking_off import FuzzReport


class Sent:
    """Counts requests by phase and by status, and keeps each kind of failure once. Ends a pass at the last request."""

    def __init__(self, most: int, report: FuzzReport, advance: Advance) -> None:
        self._most, self._report, self._advance = most, report, advance
        self._found: set[tuple[str, str]] = set()
        self._statuses: Counter[int] = Counter()
        self._well_answered: set[str] = set()
        self.phase = ""
        """Of schemathesis; it runs one after the other."""
        self.has_acted = False
        """Whether an administrator's request was sent that may have closed the market: who opens it takes this back."""
        self.stop: Callable[[], None] = lambda: None
        """Ends the present pass before the next generated request."""

    @property
    def count(self) -> int:
        """How many requests were sent."""
        return int(self._report.counts["requests"])

    @property
    def is_enough(self) -> bool:
        """Whether the run has nothing more to send."""
        return self.count >= self._most or self._report.ends

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Counts while the block runs. A hook of schemathesis does not see the requests of its own checks."""
        send, maximize = requests.Session.send, metrics.maximize

        def counted(session: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            self._begin()
            self.has_acted |= request.method != "GET" and "/v1/admin/" in str(request.url)
            response = send(session, request, **kwargs)
            self._statuses[response.status_code] += 1
            return response

        requests.Session.send = counted  # type: ignore[assignment,method-assign]
        # It would have Hypothesis climb towards 2xx: up to 20 s for an operation, and hardly a new request in it.
        metrics.maximize = lambda *_, **__: None
        try:
            yield
        finally:
            requests.Session.send, metrics.maximize = send, maximize  # type: ignore[method-assign]

    def _begin(self) -> None:
        self._report.add("requests")
        self._report.add(f"in_{self.phase}")
        self._advance()
        if self.count >= self._most:
            self.stop()

    def watch(self, schema: schemathesis.BaseSchema) -> None:
        """Takes answers and failures when they come: the last scenario of a pass that is stopped is never reported."""

        @schema.hook
        def after_call(context: schemathesis.HookContext, case: Any, response: schemathesis.Response) -> None:
            if response.status_code // 100 == 2:
                self._well_answered.add(_name(case))

        @schema.hook
        def filter_failure(context: schemathesis.HookContext, failure: Failure, case: Any, response: Any) -> bool:
            self._add(_name(case), failure.title, failure.message, case)
            return True

    def _add(self, operation: str, title: str, message: str, case: Any) -> None:
        if (operation, title) not in self._found:
            self._found.add((operation, title))
            with suppress(Exception):  # What cannot be written as a curl command is said without one.
                message = f"{message} {case.as_curl_command()}"
            self._report.broken.append(f"{operation}: {title}: {message[:1_000]}")

    def summary(self, document: dict[str, Any], hot: set[str]) -> None:
        """Adds the statuses; a run in which one of the `hot` operations was never answered 2xx is a broken promise."""
        names = {f"{method.upper()} {path}" for path, found in document["paths"].items() for method in found}
        self._report.counts |= {
            "operations": len(names),
            "operations_answered_2xx": len(names & self._well_answered),
            **{f"answered_{status}": number for status, number in sorted(self._statuses.items())},
        }
        if not self._report.break_off.reason:
            refused = sorted(hot - self._well_answered)
            self._report.broken += [f"{name} was always refused: the run proves little" for name in refused]
        sys.stderr.write(f"never answered 2xx: {', '.join(sorted(names - self._well_answered))}\n")


def _name(case: Any) -> str:
    return f"{case.method.upper()} {case.operation.path}"
