"""What stands below the fields of a class in its source: the descriptions of a struct's fields, for /asyncapi.json."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from itertools import pairwise
from types import ModuleType


def attribute_texts(modules: Iterable[ModuleType]) -> dict[str, dict[str, str]]:
    """By the name of the class and of the field."""
    found: dict[str, dict[str, str]] = {}
    for module in modules:
        for part in ast.parse(inspect.getsource(module)).body:
            if isinstance(part, ast.ClassDef):
                found[part.name] = dict(_texts(part))
    return found


def _texts(part: ast.ClassDef) -> Iterable[tuple[str, str]]:
    for field, below in pairwise(part.body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            yield field.target.id, inspect.cleandoc(below.value.value).replace("\n", " ")
