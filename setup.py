"""Builds the engine: native where there is a C compiler, plain Python where there is none.

The compiler directives stand here and nowhere else: a directive comment in a source file would silently override the
checking build (REX_CHECKING_BUILD=1), which keeps bounds checks on and is what the tests run on besides the fast one.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from setuptools import setup
from setuptools.command.build_ext import build_ext

MODULES = [
    "pools",
    "book.price_levels",
    "book.order_ids",
    "book.orders",
    "book.auction",
    "book.fill_or_kill",
    "book.book_refusals",
    "book.order_book",
    "book.library",
    "ledger.client_ids",
    "ledger.fees",
    "ledger.accounts",
    "ledger.phases",
    "ledger.instruments",
    "ledger.turnover",
    "ledger.day_trades",
    "rules.expiries",
    "rules.touched_levels",
    "event_log",
    "one_command",
    "rules.order_walk",
    "rules.order_terms",
    "rules.price_limits",
    "rules.refusals",
    "rules.settlement",
    "rules.execution",
    "rules.member_commands",
    "rules.session_commands",
    "snapshot.restore",
    "rules.operator_commands",
    "engine",
]

checking = os.environ.get("REX_CHECKING_BUILD") == "1"
directives = {
    "language_level": "3",
    "boundscheck": checking,
    "wraparound": False,
    "initializedcheck": checking,
    "cdivision": not checking,
    "overflowcheck": False,
    "infer_types": True,
    "annotation_typing": False,
    "embedsignature": True,
}


def extensions() -> list[object]:
    try:
        from Cython.Build import cythonize
        from setuptools import Extension
    except ImportError:
        print("Cython is missing: the engine will run as plain Python, slower.", file=sys.stderr)
        return []
    sources = {name: f"matching_engine/{name.replace('.', '/')}.py" for name in MODULES}
    built = cythonize(
        [
            Extension(
                f"matching_engine.{name}",
                [source],
                # -g0: Python's own flags ask for debugging symbols, which cost a third of the time and are stripped anyway.
                extra_compile_args=["-O3", "-g0", "-fno-semantic-interposition", "-fwrapv"],
                extra_link_args=["-s"] if sys.platform.startswith("linux") else [],
            )
            for name, source in sources.items()
        ],
        compiler_directives=directives,
        nthreads=os.cpu_count() or 1,
        # One folder per set of directives: Cython reuses the C files that it finds, whatever their directives were.
        build_dir="build/checking" if checking else "build/cython",
    )
    for extension in built:
        # cythonize() forgets the flag when it is given to Extension(): set afterwards, a missing compiler is no error.
        extension.optional = True
    return list(built)


class BuildEngine(build_ext):
    """Compiles the modules side by side and says how many are compiled."""

    compiled = 0

    def finalize_options(self) -> None:
        # Here, not in setup(options=...): an editable build makes its build_ext anew and loses the options.
        super().finalize_options()
        self.parallel = os.cpu_count() or 1

    def build_extension(self, extension: Any) -> None:
        super().build_extension(extension)
        self.compiled += 1
        print(f"compiled {self.compiled} of {len(self.extensions)} modules", flush=True)


setup(cmdclass={"build_ext": BuildEngine}, ext_modules=extensions())
