"""The Chinese characters of the pages as a font, for browsers on machines without one.

    python -m services.pages.cjk_font

reads characters from standard input and writes their glyphs to standard output: a WOFF file, cut from Noto Sans SC (Adobe and
Google, SIL Open Font License 1.1), the font of the reports as PDF. The venue runs it once, with the first browser that asks.
"""

from __future__ import annotations

import io
import subprocess
import sys
from functools import cache

from services.data.instruments import load_instruments
from services.pages.catalogue import every_text
from services.processes.own_process import stand_back

NAME = "rex_cjk.woff"
FIRST_CJK = "\u2e80"
"""Below it are signs that other fonts have."""
ALWAYS = "稀土交易所中文亿万"
"""What the frame and short numbers show in both languages."""
PATIENCE_S = 60.0
"""It takes a second on a quiet machine."""


@cache
def characters() -> str:
    """The Chinese characters and punctuation of the catalogue and of the products' names, sorted."""
    names = "".join(instrument.name_zh for instrument in load_instruments())
    return "".join(sorted({one for one in every_text() + names + ALWAYS if one >= FIRST_CJK}))


def font() -> bytes:
    """The font, made by a process of its own: it takes a second of a processor and 50 MB. Raises SubprocessError, OSError."""
    command = [sys.executable, "-P", "-m", __name__]
    given = characters().encode()
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=PATIENCE_S).stdout


def cut(wanted: str) -> bytes:
    """The font with the glyphs of these characters."""
    import pylopdf_fonts_zh_cn as noto
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options()
    options.layout_features, options.hinting, options.notdef_outline = [], False, True
    options.name_IDs = [0, 1, 2, 13, 14]  # copyright and license stay
    with TTFont(noto.sans_path(), lazy=True) as whole:
        cutter = subset.Subsetter(options)
        cutter.populate(text=wanted)
        cutter.subset(whole)
        whole.flavor = "woff"
        file = io.BytesIO()
        whole.save(file)
    return file.getvalue()


if __name__ == "__main__":
    stand_back()
    sys.stdout.buffer.write(cut(sys.stdin.buffer.read().decode()))
