"""The programme records what the vocabulary of the log declares, and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from market.events.vocabulary import CREDENTIAL, VOCABULARY

ROOT = Path(__file__).parents[2]
FLOORS = ("market", "suppliers", "tenders", "evaluation")
_RECORD = "market.events.commands"
_OF_RECORD = frozenset({"tender", "before", "after", "private"})
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_RAW = re.compile(
    r"(?:INSERT INTO event\b[^;]*?|record_of_tender\()'(?P<action>[a-z_]+\.[a-z_]+)'", re.DOTALL
)


MODULES = {
    path: ast.parse(path.read_text())
    for floor in FLOORS
    for path in sorted((ROOT / floor).rglob("*.py"))
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = [
    (path, node)
    for path, module in MODULES.items()
    for node in ast.walk(module)
    if isinstance(node, _Function)
]


class Call:
    """One call of record(...): where it is, and what it says as far as it can be read."""

    def __init__(self, path: Path, call: ast.Call) -> None:
        self.place = f"{path.relative_to(ROOT)}:{call.lineno}"
        self.actions = sorted(set(_actions(call.args[1], path, call)))
        self.subject = call.args[2]
        self.keywords = {word.arg: word.value for word in call.keywords}
        private = self.keywords.get("private")
        self.private = set() if private is None else _keys(private)

    @property
    def details(self) -> set[str | None]:
        return set(self.keywords) - _OF_RECORD

    @property
    def commits(self) -> bool:
        return bool({"before", "after"} & set(self.keywords))


def _actions(written: ast.expr, path: Path, call: ast.Call) -> Iterator[str]:
    """Every action that an expression in a call can stand for."""
    match written:
        case ast.Constant(value=str(action)):
            yield action
        case ast.IfExp(body=one, orelse=other):
            yield from _actions(one, path, call)
            yield from _actions(other, path, call)
        case ast.Name(id=name):
            yield from _named(name, path, call)
        case _:
            yield ast.unparse(written)


def _named(name: str, path: Path, call: ast.Call) -> Iterator[str]:
    """What a variable can stand for: what it is given, in its function or by those who call it."""
    (function,) = [
        found
        for place, found in FUNCTIONS
        if place == path and any(node is call for node in ast.walk(found))
    ]
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            yield from _actions(node.value, path, call)
    positions = [argument.arg for argument in function.args.args]
    for place, module in MODULES.items():
        for node in ast.walk(module):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == function.name):
                continue
            given = [word.value for word in node.keywords if word.arg == name]
            if name in positions[: len(node.args)]:
                given.append(node.args[positions.index(name)])
            for one in given:
                yield from _actions(one, place, node)


def _keys(private: ast.expr) -> set[str]:
    match private:
        case ast.Dict(keys=keys):
            return {str(key.value) for key in keys if isinstance(key, ast.Constant)}
        case ast.IfExp(body=one, orelse=other):
            return _keys(one) | _keys(other)
        case ast.Constant(value=None):
            return set()
        case _:
            return {ast.unparse(private)}


def _names(module: ast.Module) -> set[str]:
    """What `record` is called where it is imported."""
    return {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == _RECORD
        for alias in node.names
        if alias.name == "record"
    }


def _calls() -> list[Call]:
    found = []
    for path, module in MODULES.items():
        names = _names(module)
        found += [
            Call(path, node)
            for node in ast.walk(module)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
        ]
    return found


CALLS = _calls()


def _raw() -> dict[str, str]:
    """The actions of events that are written without `record`, and in which file."""
    return {
        match["action"]: str(path.relative_to(ROOT))
        for floor in FLOORS
        for path in [*(ROOT / floor).rglob("*.py"), *(ROOT / floor).rglob("*.sql")]
        for match in _RAW.finditer(path.read_text())
    }


def test_all_calls_are_found() -> None:
    assert len(CALLS) > 95


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.place)
def test_a_call_of_record_holds_what_its_action_declares(call: Call) -> None:
    assert call.actions
    for name in call.actions:
        assert _ACTION.fullmatch(name), f"{name}: an action is written out where it is recorded"
        assert name in VOCABULARY, f"{name} is not in market.events.vocabulary"
        action = VOCABULARY[name]
        assert None not in call.details, "details are written out, not handed over as a mapping"
        assert call.details <= set(action.details), f"{name} declares no such details"
        assert call.private <= set(action.private), f"{name} declares no such private details"
        assert not call.commits or action.commits_to, f"{name} does not say what it commits to"
        if isinstance(call.subject, ast.Constant):
            assert call.subject.value in action.of, f"{name} is not of such a subject"


def test_no_event_is_recorded_by_another_way() -> None:
    assert {name: path for name, path in _raw().items() if name not in VOCABULARY} == {}


def test_every_action_and_every_detail_that_is_declared_is_recorded_somewhere() -> None:
    recorded = {name for call in CALLS for name in call.actions} | set(_raw())
    assert set(VOCABULARY) - recorded == set()
    for name, action in VOCABULARY.items():
        calls = [call for call in CALLS if name in call.actions]
        if calls:
            assert set(action.details) == set().union(*(call.details for call in calls)), name
            assert set(action.private) == set().union(*(call.private for call in calls)), name
            assert bool(action.commits_to) == any(call.commits for call in calls), name


@pytest.mark.parametrize("name", sorted(VOCABULARY))
def test_an_action_is_documented(name: str) -> None:
    action = VOCABULARY[name]
    assert _ACTION.fullmatch(name)
    assert action.means[0].isupper()
    assert action.means.endswith(".")
    assert action.of
    assert set(action.whose) <= set(action.of)
    assert not set(action.details) & set(action.private), "what is private is nowhere else"
    assert CREDENTIAL not in action.details, "the database adds it"
    # so that a salt is either one person's affair, or never has to go
    assert action.whose or not (action.private and action.commits_to)
    assert not action.whose or action.private or action.commits_to
