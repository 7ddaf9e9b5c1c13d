"""The data of a node with all its texts as templates, and the elements of its lists repeated by array expansion.

An element of a list (a card, a button, a quick reply) is cloned when one of its own texts, not those of a list nested
in it, holds `{{list[i].x}}` (once per item, 10 at most) or `{{list[0..5].x}}` (items 0 to 5 of those there are). The
index holds for the whole element; an element of a nested list is cloned only by lists that no element around it walks.
Several expansions in one element walk together, and the shortest ends it.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from shared.templates.compiler import Evaluate, compile_path
from shared.templates.environment import RenderEnvironment
from shared.templates.errors import TemplateError, TemplateSyntaxError, TemplateWarning
from shared.templates.functions import CALLS
from shared.templates.limits import MAX_DATA_DEPTH, MAX_DATA_OUTPUT_BYTES, MAX_IMPLICIT_CLONES, MAX_LOOP_ITEMS
from shared.templates.runtime import Run, Scope
from shared.templates.template import Template, outside_list
from shared.templates.tree import ExpandedIndex

Problem = tuple[str, TemplateSyntaxError | TemplateWarning]
"""Where in the data (`message.cards[0].title`) and what."""

_BEGINS_TAG: Final = "{{"


def compile_data(data: Any, html: frozenset[str] = frozenset()) -> "DataTemplate":
    """JSON data whose texts are templates. Nothing is parsed before the first use.

    The texts at the keys `html` become HTML: there `{{ }}` escapes what it prints and `{{{ }}}` does not.
    """
    return DataTemplate(data, html)


class DataTemplate:
    """A node's data, ready to be rendered for a context again and again."""

    def __init__(self, data: Any, html: frozenset[str] = frozenset()) -> None:
        self._data = data
        self._html = html

    @cached_property
    def is_constant(self) -> bool:
        """Whether rendering always gives the data itself, because no text in it has a tag."""
        return isinstance(self._compiled.root, _Constant)

    @property
    def problems(self) -> list[Problem]:
        """All errors and warnings of all templates in the data."""
        return self._compiled.problems

    def render(self, context: dict[str, Any], environment: RenderEnvironment) -> Any:
        """The data for this context; parts without templates are shared with the source and not to be changed.

        All its templates share one budget. Raises TemplateError over it or for a bad call, and the
        TemplateSyntaxError of a text that does not parse.
        """
        compiled = self._compiled
        if compiled.error is not None:
            raise compiled.error.with_traceback(None)
        root = compiled.root
        return root.value if isinstance(root, _Constant) else root.render(_DataRun(context, environment))

    @cached_property
    def _compiled(self) -> "_Compiled":
        return _Compiled(self._data, self._html)


class _DataRun(Run):
    """room: bytes that the texts of the data may still take, counted in characters."""

    room: int = MAX_DATA_OUTPUT_BYTES


class _Compiled:
    """The parts of the data as a tree of renderers, with the problems met while it was made."""

    def __init__(self, data: Any, html: frozenset[str]) -> None:
        self.problems: list[Problem] = []
        self._html = html
        self.root, _ = self._part(data, path="", depth=0, is_in_list=False)
        errors = (problem for _, problem in self.problems if isinstance(problem, TemplateSyntaxError))
        self.error: TemplateSyntaxError | None = next(errors, None)

    def _part(self, data: Any, *, path: str, depth: int, is_in_list: bool) -> "tuple[_Part, list[ExpandedIndex]]":
        """A renderer, and the expansions of its own texts: they repeat the element of the list that it belongs to."""
        if isinstance(data, str):
            return self._text(data, path, is_in_list=is_in_list) if _BEGINS_TAG in data else (_Constant(data), [])
        if not isinstance(data, dict | list):
            return _Constant(data), []
        if depth >= MAX_DATA_DEPTH:
            error = TemplateSyntaxError("deeper data", f"at most {MAX_DATA_DEPTH} levels of data", line=1, column=1)
            self.problems.append((path, error))
            return _Constant(data), []
        if isinstance(data, list):
            return self._list(data, path, depth), []
        return self._object(data, path, depth, is_in_list=is_in_list)

    def _text(self, source: str, path: str, *, is_in_list: bool) -> "tuple[_Part, list[ExpandedIndex]]":
        try:
            template = Template(source, escape_html=path in self._html, calls=CALLS)
            if template.expansions and not is_in_list:
                raise outside_list(source, *template.expansions[0])
        except TemplateSyntaxError as error:
            self.problems.append((path, error))
            return _Constant(source), []
        self.problems.extend((path, warning) for warning in template.warnings)
        return _Text(template), [expansion for expansion, _ in template.expansions]

    def _object(
        self, data: dict[str, Any], path: str, depth: int, *, is_in_list: bool
    ) -> "tuple[_Part, list[ExpandedIndex]]":
        parts: dict[str, _Part] = {}
        expansions: list[ExpandedIndex] = []
        for key, value in data.items():
            parts[key], own = self._part(value, path=_child(path, key), depth=depth + 1, is_in_list=is_in_list)
            expansions += own
        if all(isinstance(part, _Constant) for part in parts.values()):
            return _Constant(data), []
        return _Object(parts), expansions

    def _list(self, data: list[Any], path: str, depth: int) -> "_Part":
        elements: list[_Element] = []
        for index, value in enumerate(data):
            part, own = self._part(value, path=f"{path}[{index}]", depth=depth + 1, is_in_list=True)
            elements.append(_Element(part, own))
        if all(isinstance(element.part, _Constant) for element in elements):
            return _Constant(data)
        return _List(elements)


def _child(path: str, key: str) -> str:
    if not key.isidentifier():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


class _Constant:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def render(self, _run: _DataRun) -> Any:
        return self.value


class _Text:
    __slots__ = ("_template",)

    def __init__(self, template: Template) -> None:
        self._template = template

    def render(self, run: _DataRun) -> str:
        text = self._template.render_in(run)
        run.room -= len(text)
        if run.room < 0:
            message = f"the texts of the data become longer than {MAX_DATA_OUTPUT_BYTES} bytes"
            raise TemplateError(message)
        return text


class _Object:
    """What never changes is copied at once, the rest is rendered into its place."""

    __slots__ = ("_constant", "_rendered")

    def __init__(self, parts: "dict[str, _Part]") -> None:
        self._constant = {key: part.value if isinstance(part, _Constant) else None for key, part in parts.items()}
        self._rendered = [(key, part) for key, part in parts.items() if not isinstance(part, _Constant)]

    def render(self, run: _DataRun) -> dict[str, Any]:
        data = self._constant.copy()
        for key, part in self._rendered:
            data[key] = part.render(run)
        return data


class _List:
    __slots__ = ("_elements",)

    def __init__(self, elements: "list[_Element]") -> None:
        self._elements = elements

    def render(self, run: _DataRun) -> list[Any]:
        return [item for element in self._elements for item in element.render_all(run)]


class _Element:
    """An element of a list with the expansions that may repeat it."""

    __slots__ = ("_expansions", "part")

    def __init__(self, part: "_Part", expansions: list[ExpandedIndex]) -> None:
        self.part = part
        self._expansions: list[tuple[ExpandedIndex, Evaluate]] = [
            (expansion, compile_path(expansion.list_path)) for expansion in dict.fromkeys(expansions)
        ]

    def render_all(self, run: _DataRun) -> Iterator[Any]:
        around = run.indices
        free = [(expansion, find) for expansion, find in self._expansions if not _is_bound(find, run)]
        if not free:
            yield self.part.render(run)
            return
        is_implicit = any(expansion.first is None for expansion, _ in free)
        for turn in range(MAX_IMPLICIT_CLONES if is_implicit else MAX_LOOP_ITEMS + 1):
            run.indices = dict(around)
            if not all(_bind(expansion, find, turn, run) for expansion, find in free):
                break
            if turn >= MAX_LOOP_ITEMS:
                message = f"an element repeated more than {MAX_LOOP_ITEMS} times"
                raise TemplateError(message)
            run.spend(1)
            yield self.part.render(run)
        run.indices = around


def _list_of(find: Evaluate, run: Run) -> Any:
    return find(Scope(run.root, None, None, None, run))


def _is_bound(find: Evaluate, run: Run) -> bool:
    """Whether an element around walks the list already, under whatever name."""
    return id(_list_of(find, run)) in run.indices


def _bind(expansion: ExpandedIndex, find: Evaluate, turn: int, run: Run) -> bool:
    """Lets an expansion stand for its next item; False when there is none."""
    index = (expansion.first or 0) + turn
    items = _list_of(find, run)
    if not isinstance(items, list) or index >= len(items) or (expansion.last is not None and index > expansion.last):
        return False
    run.indices[expansion] = index
    run.indices.setdefault(id(items), index)
    return True


_Part = _Constant | _Text | _Object | _List
