"""Markup: HTML built from Python in which every text is escaped unless it is itself markup."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Child = object
"""A Markup, text (escaped), a number, None (left out) or an iterable of these."""

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source"})


Attribute = str | int | float | bool | None


def tag(element: str, /, *children: Child, cls: str = "", **attributes: Attribute) -> Markup:
    """Build one element. `cls` is the class; `for_` and `data_x` become `for` and `data-x`; False and None drop out."""
    given: dict[str, Attribute] = {"class": cls or None, **attributes}
    head = Markup("<") + Markup(element)
    for key, value in given.items():
        if value is None or value is False:
            continue
        head += Markup(" ") + Markup(key.rstrip("_").replace("_", "-"))
        if value is not True:
            head += Markup('="') + escape(str(value)) + Markup('"')
    if element in _VOID:
        return head + Markup(">")
    return head + Markup(">") + join(children) + _close(element)


def join(children: Iterable[Child]) -> Markup:
    """Concatenate children, escaping what is not markup."""
    return Markup("").join(_flat(children))


def _flat(children: Iterable[Child]) -> Iterable[Markup]:
    for child in children:
        if child is None or child is False:
            continue
        if isinstance(child, str):
            yield escape(child)
        elif isinstance(child, Iterable):
            yield from _flat(child)
        else:
            yield escape(str(child))


def _close(name: str) -> Markup:
    return Markup("</") + Markup(name) + Markup(">")
