"""Strict evaluation of n8n's expressions: a missing path is an error.

It supports the part of JavaScript that the workflows use. A path may be missing only where the
expression allows it: to the left of `??` and `||`, and after `?.`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any, Final

_TEMPLATE: Final = re.compile(r"\{\{(.*?)\}\}(?!\})", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>'(?:[^'\\]|\\.)*')|(?P<name>[$A-Za-z_][$\w]*)"
    r"|(?P<sign>===|!==|=>|\?\?|\?\.(?!\d)|\|\||&&|[-+!?:.,()\[\]{}<>]))"
)
_BINARY: Final = (("??",), ("||",), ("&&",), ("===", "!=="), ("<", ">"), ("+",))
_ESCAPES: Final = {r"\n": "\n", r"\'": "'", r"\\": "\\"}


class MissingPath(Exception):
    """A path does not exist."""


class UnreadableExpression(Exception):
    """The text is not JavaScript, or uses syntax that is not supported here."""


class Undefined:
    """JavaScript's `undefined`."""

    def __bool__(self) -> bool:
        """Return False."""
        return False


UNDEFINED: Final = Undefined()


@dataclass(frozen=True)
class ExpressionScope:
    """Values of names: `$json`, `$response`, and the outputs of other nodes."""

    names: Mapping[str, Any]
    node: Callable[[str], Any] = field(default=lambda name: UNDEFINED)
    """Returns the value of `$('Name')`: a mapping with `first` (a function) and `item`."""


def render_template(text: object, scope: ExpressionScope) -> Any:
    """Evaluate a parameter: text that starts with `=` contains expressions in braces.

    Raises:
        MissingPath: a path does not exist.
        UnreadableExpression: an expression is malformed.

    """
    if not (isinstance(text, str) and text.startswith("=")):
        return text
    text = text[1:]
    whole = _TEMPLATE.fullmatch(text)
    if whole and "{{" not in whole[1]:
        return evaluate_expression(whole[1], scope)
    return _TEMPLATE.sub(lambda found: _format_value(evaluate_expression(found[1], scope)), text)


def evaluate_expression(code: str, scope: ExpressionScope) -> Any:
    """Evaluate one expression."""
    parser = _Parser(code)
    tree = parser.expression()
    if parser.sign is not None:
        raise UnreadableExpression(f"{parser.sign!r} is one too many in {code!r}")
    return tree(scope, False)


type Tree = Callable[[ExpressionScope, bool], Any]
"""Evaluates an expression; the second argument is whether a path may be missing."""


class _Parser:
    """Recursive descent parser with one level per operator precedence."""

    def __init__(self, code: str) -> None:
        self._code, self._at = code.rstrip(), 0
        self.sign: str | None = None
        self._kind = ""
        self._next()

    def expression(self) -> Tree:
        test = self._binary(0)
        if self.sign != "?":
            return test
        self._next()
        yes = self.expression()
        self._take(":")
        no = self.expression()
        return lambda scope, may: (yes if test(scope, False) else no)(scope, may)

    def _binary(self, level: int) -> Tree:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while self._kind == "sign" and (sign := self.sign or "") in _BINARY[level]:
            self._next()
            left = _build_operation(sign, left, self._binary(level + 1))
        return left

    def _unary(self) -> Tree:
        if self._kind == "sign" and self.sign == "!":
            self._next()
            operand = self._unary()
            return lambda scope, may: not operand(scope, may)
        return self._postfix(self._primary())

    def _postfix(self, tree: Tree) -> Tree:
        while self._kind == "sign" and self.sign in (".", "?.", "[", "("):
            sign = self.sign
            self._next()
            if sign == "(":
                tree = _build_call(tree, self._arguments(")"))
            elif sign == "[" or (sign == "?." and self.sign == "["):
                if sign == "?.":
                    self._next()
                key = self.expression()
                self._take("]")
                tree = _build_member(tree, key, optional=sign == "?.")
            else:
                name = self._name()
                tree = _build_member(tree, lambda *_, name=name: name, optional=sign == "?.")
        return tree

    def _primary(self) -> Tree:
        kind, text = self._kind, self.sign
        if kind == "sign" and text == "(":
            return self._parenthesis()
        self._next()
        match kind:
            case "number":
                number = float(text or 0)
                return lambda *_: int(number) if number.is_integer() else number
            case "string":
                value = re.sub(r"\\.", lambda found: _ESCAPES[found[0]], (text or "")[1:-1])
                return lambda *_: value
            case "name":
                return self._named(text or "")
        if text == "{":
            return self._object()
        if text == "[":
            items = self._arguments("]")
            return lambda scope, _: [item(scope, False) for item in items]
        raise UnreadableExpression(f"{text!r} is not expected in {self._code!r}")

    def _named(self, name: str) -> Tree:
        constants = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}
        if name in constants:
            return lambda *_: constants[name]
        if name == "$":
            return lambda scope, _: scope.node
        if name == "JSON":
            return lambda *_: {"stringify": json.dumps}

        def look(scope: ExpressionScope, _: bool) -> Any:
            if name not in scope.names:
                raise MissingPath(name)
            return scope.names[name]

        return look

    def _parenthesis(self) -> Tree:
        arrow = re.compile(r"\s*(\w+)\s*\)\s*=>").match(self._code, self._at)
        if arrow is None:
            self._next()
            tree = self.expression()
            self._take(")")
            return tree
        self._at = arrow.end()
        self._next()
        name, body = arrow[1], self.expression()
        return lambda scope, _: (
            lambda value: body(ExpressionScope({**scope.names, name: value}, scope.node), False)
        )

    def _object(self) -> Tree:
        fields: list[tuple[str, Tree]] = []
        while self.sign != "}":
            key = (self.sign or "").strip("'")
            self._next()
            self._take(":")
            fields.append((key, self.expression()))
            if self.sign != "}":
                self._take(",")
        self._next()
        return lambda scope, _: {key: tree(scope, False) for key, tree in fields}

    def _arguments(self, end: str) -> list[Tree]:
        found = []
        while self.sign != end:
            found.append(self.expression())
            if self.sign != end:
                self._take(",")
        self._next()
        return found

    def _name(self) -> str:
        if self._kind != "name" or self.sign is None:
            raise UnreadableExpression(f"a name is missing before {self.sign!r} in {self._code!r}")
        name = self.sign
        self._next()
        return name

    def _take(self, sign: str) -> None:
        if self.sign != sign:
            raise UnreadableExpression(
                f"{sign!r} is missing before {self.sign!r} in {self._code!r}"
            )
        self._next()

    def _next(self) -> None:
        if self._at >= len(self._code):
            self.sign, self._kind = None, ""
            return
        found = _TOKEN.match(self._code, self._at)
        if found is None:
            raise UnreadableExpression(f"what is {self._code[self._at :]!r}?")
        self._kind, self._at = found.lastgroup or "", found.end()
        self.sign = found[self._kind]


def _build_operation(sign: str, left: Tree, right: Tree) -> Tree:
    def operate(scope: ExpressionScope, may: bool) -> Any:
        first = left(scope, may or sign in ("??", "||"))
        match sign:
            case "??":
                return right(scope, may) if first is None or first is UNDEFINED else first
            case "||":
                return first or right(scope, may)
            case "&&":
                return first and right(scope, may)
            case "===":
                return first == right(scope, may)
            case "!==":
                return first != right(scope, may)
        second = right(scope, may)
        if sign == "+" and (isinstance(first, str) or isinstance(second, str)):
            return _format_value(first) + _format_value(second)
        return {"+": first + second, "<": first < second, ">": first > second}[sign]

    return operate


def _build_member(tree: Tree, key: Tree, *, optional: bool) -> Tree:
    def read(scope: ExpressionScope, may: bool) -> Any:
        value, name = tree(scope, may), key(scope, False)
        lenient = may or optional
        if (value is None or value is UNDEFINED) and lenient:
            return UNDEFINED
        if isinstance(value, dict) and name in value:
            return value[name]
        if isinstance(value, list) and isinstance(name, int) and name < len(value):
            return value[name]
        if isinstance(value, list | str) and (method := _bind_method(value, name)) is not None:
            return method
        if isinstance(value, dict) and lenient:
            return UNDEFINED
        raise MissingPath(f"{name} of {str(value)[:200]}")

    return read


def _build_call(tree: Tree, arguments: list[Tree]) -> Tree:
    return lambda scope, may: tree(scope, may)(*(each(scope, False) for each in arguments))


def _bind_method(value: list[Any] | str, name: object) -> Any:
    match value, name:
        case list(), "map":
            return lambda change: [change(each) for each in value]
        case list(), "join":
            return lambda between: between.join(_format_value(each) for each in value)
        case str(), "hash":
            return lambda: md5(value.encode(), usedforsecurity=False).hexdigest()
    return None


def _format_value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "undefined" if value is UNDEFINED else str(value)
