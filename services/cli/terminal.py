"""What every command shares on its way out: two consoles, a progress bar, sentences and how work ends."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from services.processes.exit_codes import ExitCode
from services.processes.own_process import collect_garbage, share_heap

if TYPE_CHECKING:
    from rich.progress import Progress

out = Console()
err = Console(stderr=True)
T = TypeVar("T")
_given: ContextVar[Mapping[str, str]] = ContextVar("given")


@contextmanager
def options_given(options: Mapping[str, str]) -> Iterator[None]:
    """Within it, `as_given` names these options instead of the variables that are their keys."""
    before = _given.set(options)
    try:
        yield
    finally:
        _given.reset(before)


def progress(show: bool) -> Progress:
    """A bar on standard error while somebody looks (`show`)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, disable=not show, transient=True)


def run(work: Coroutine[Any, Any, T], *, is_check: bool = False) -> T:
    """Runs it; trouble of the environment ends as one sentence and its exit status, never as a traceback. What it logs goes to
    standard error: standard output is for the result.

    A check (`is_check`) ends with status 1 whatever is wrong with what it reads.
    """
    import uvloop

    from services.processes.log import log_to_standard_error
    from services.venue.fatal_errors import CONSEQUENCES, ENVIRONMENT, exit_code_of, root_cause, sentence_of

    collect_garbage()
    share_heap()
    log_to_standard_error()
    try:
        return uvloop.run(work)
    except Exception as error:
        cause = root_cause(error)
        if not isinstance(cause, (*ENVIRONMENT, *CONSEQUENCES)):
            raise
        say(as_given(sentence_of(cause)))
        status = exit_code_of(cause)
        raise typer.Exit(ExitCode.TROUBLE if is_check and status != ExitCode.USAGE else status) from None


def drop_output() -> None:
    """Loses what is still to be printed, which would fail again at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def output_refused(error: OSError) -> str:
    """Why nothing can be printed, as a sentence."""
    return f"the standard output cannot be written: {error.strerror}"


def as_given(sentence: str) -> str:
    """The sentence with the option that the user wrote instead of its variable, unless it names both."""
    for variable, option in _given.get({}).items():
        if option not in sentence:
            sentence = re.sub(rf"\b{variable}\b", option, sentence)
    return sentence


def say(sentence: str) -> None:
    """One line on standard error."""
    from services.commands.texts import visible

    err.print(f"[red]rex:[/red] {escape(visible(sentence))}", highlight=False, soft_wrap=True)
