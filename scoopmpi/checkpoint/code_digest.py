"""Digests of what functions, classes and modules of the program are and do.

Of a function: its code without line numbers and names of files, its defaults, what it closes over
and the globals that it reads, of modules what it uses of them (`module_parts`); of a class what is
in it; of a module as such its source. Other functions, classes and modules of the program that it
refers to are given back, not followed.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from ..wire import payload
from . import import_effects, module_parts, provenance
from .import_effects import ImportEffects
from .stable_pickle import PLACES, SIZE, Complete, Digested, Placed, digest_values, hides

_GLOBALS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_CHANGES = {"STORE_GLOBAL", "DELETE_GLOBAL"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}
_BETWEEN = {"EXTENDED_ARG", "CACHE", "PUSH_NULL"}
"""What may stand between the reading of a global and that of its attribute."""
_ANYTHING = frozenset({"globals", "eval", "exec", "__import__"})
_ANYWHERE = frozenset({"import_module", "__subclasses__"})
"""By Python's own functions, and by these attributes, code reaches what it does not name."""
_OURS, _, _PLACE = PLACES.partition(".")
Chains: TypeAlias = "frozenset[tuple[str, ...]]"
_VOLATILE = {
    "__module__", "__doc__", "__dict__", "__weakref__", "__abstractmethods__", "_abc_impl",
    "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__",
    "__firstlineno__", "__static_attributes__", "__orig_bases__", "__parameters__",
}  # fmt: skip
"""Of a class: what is derived from the rest, says nothing, or differs from run to run."""
_seen: WeakKeyDictionary[Any, tuple[Any, Digested]] = WeakKeyDictionary()
"""Of functions and classes that workers find by name: what they were when they were first met.

Workers have them as they are when the program is imported; what rank 0 changes later in globals or
attributes never gets there.
"""


def digest_code(obj: Any, complete: Complete) -> Digested:
    """Return the digest of a function, class or module itself, and what it refers to.

    complete: as for `digest_values`, by which values in it are looked at.
    """
    if isinstance(obj, ModuleType):
        sources = list(provenance.sources(obj.__name__))
        return _digested(sources, _place_in(name for name, _ in sources), complete)
    imported = isinstance(obj, ImportEffects)
    code = sys.modules.get(obj.module) if imported else getattr(obj, "__code__", None)
    known = _seen.get(obj)
    if known is not None and known[0] is code and (imported or payload.by_name(obj)):
        return known[1]
    if imported:
        _seen[obj] = code, _import(obj, complete)
        return _seen[obj][1]
    facts, values = _class(obj) if isinstance(obj, type) else _function(obj)
    found = _digested(facts, values, complete)
    if payload.by_name(obj):
        _seen[obj] = code, found
    return found


def _digested(facts: Any, values: Iterable[tuple[str, Any]], complete: Complete) -> Digested:
    """Digest facts by their text, and values by their pickles, each on its own."""
    whole = blake2b(repr(facts).encode("utf-8", "backslashreplace"), digest_size=SIZE)
    references: list[Any] = []
    for name, value in values:
        found = _value(value, complete)
        references += found.references
        entry = name, found.digest, len(found.references)
        whole.update(repr(entry).encode("utf-8", "backslashreplace"))
    return Digested(whole.digest(), tuple(references))


def _value(value: Any, complete: Complete) -> Digested:
    """Digest a value; one that cannot be pickled cannot travel either, its type stands for it."""
    try:
        return digest_values((value,), complete)
    except Exception:
        kind = type(value)
        return Digested(f"{kind.__module__}.{kind.__qualname__}".encode(), ())


def _function(function: FunctionType) -> tuple[Any, Iterable[tuple[str, Any]]]:
    code = function.__code__
    return ("function", function.__qualname__, _code(code)), _reached(function)


def _reached(function: FunctionType) -> Iterator[tuple[str, Any]]:
    yield "defaults", function.__defaults__
    yield "keyword defaults", function.__kwdefaults__
    for name, value in function.__dict__.items():
        yield f"attribute {name}", value
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f"closure {name}", cell.cell_contents
        except ValueError:  # not set yet
            yield f"closure {name}", None
    made_in = [name for name in (provenance.of(function), function.__module__) if name]
    for name in dict.fromkeys(made_in):  # a library's wrapper may say that it is the program's
        if not provenance.library(name):
            yield "import", import_effects.of(name)
            if _hide(function):
                made = function.__qualname__.partition(".")[0]
                yield "made", import_effects.of(name, made, True)
    if provenance.library(provenance.of(function)):
        return  # a library's closure around something; what it reads is the library's
    yield from _read_by(function.__code__, function.__globals__)
    for name, _ in _reads(function.__code__)[0]:
        yield from _made(function.__globals__, name)
    if _reads_anything(function):
        places = dict.fromkeys([*made_in, *provenance.loaded()])
        sources = dict(each for name in places for each in provenance.sources(name))
        yield "anything", list(sources.items())
        yield from _place_in([*sources, *function.__code__.co_consts])
    if "argv" in _attributes(function.__code__):
        yield "arguments of the program", sys.argv[1:]


def _hide(function: FunctionType) -> bool:
    """True where a function has with it what does not show all that is in it."""
    given = [function.__defaults__, function.__kwdefaults__, function.__dict__]
    cells = (each.cell_contents for each in function.__closure__ or () if each != CellType())
    return any(map(hides, (*given, *cells)))


def _reads_anything(function: FunctionType) -> bool:
    """True where a function may take from modules what its code does not name."""
    reads, modules = _reads(function.__code__)
    names = {name for name, _ in reads}
    if not _ANYTHING.isdisjoint(names - function.__globals__.keys()):
        return True
    attributes = _attributes(function.__code__)
    knows_sys = "sys" in modules or any(function.__globals__.get(each) is sys for each in names)
    return not _ANYWHERE.isdisjoint(attributes) or ("modules" in attributes and knows_sys)


def _read_by(
    code: CodeType, names: Mapping[str, Any], without: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Any]]:
    """Return what code reads of the globals that it finds, and of modules that it imports."""
    reads, modules = _reads(code)
    for name, chains in reads:
        if name in names and name not in without:
            yield from _global(name, names[name], chains)
    for module in modules:
        sources = list(provenance.sources(module))
        yield f"module {module}", sources
        yield from _place_in([module, *(name for name, _ in sources)])
    if _OURS in modules and _PLACE in _attributes(code):
        yield "place", Placed


def _made(names: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """Return how a value is made: workers may have another one than rank 0 has by now."""
    module, value = names.get("__name__"), names.get(name)
    plain = isinstance(value, FunctionType | BuiltinFunctionType | ModuleType | type)
    if name in names and not plain and type(module) is str and not provenance.library(module):
        yield f"made {name}", import_effects.of(module, name, hides(value))


def _import(effects: ImportEffects, complete: Complete) -> Digested:
    """Return the digest of what a module and those that it imports do when they are imported."""
    code, own, by_arguments = effects.counting()
    values: list[tuple[str, Any]] = [
        (f"import of {each.module}", each) for each in effects.imports()
    ]
    if by_arguments:
        values.append(("arguments of the program", sys.argv[1:]))
    if isinstance(code, bytes):
        return _digested(("import", code), values, complete)
    module = sys.modules.get(effects.module)
    names = {} if module is None else vars(module)
    ours = {name for name, value in names.items() if _is_ours(value)}  # no task runs at an import
    read = [each for each in _read_by(code, names, own | ours) if each[1] is not Placed]
    return _digested(("import", _code(code)), [*values, *read], complete)


def _is_ours(value: Any) -> bool:
    return (provenance.of(value) or "").partition(".")[0] in provenance.OURS


def _place_in(modules: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Return what stands for the place of a task, where a module that tells it is among these."""
    if PLACES in modules:
        yield "place", Placed


def _global(name: str, value: Any, chains: Chains) -> Iterator[tuple[str, Any]]:
    """Return what a global stands for: of a module of the program only what is used of it."""
    if isinstance(value, ModuleType) and value.__name__ == _OURS:
        yield f"global {name}", _OURS
        if () in chains or any(chain[0] == _PLACE for chain in chains):
            yield "place", Placed
        return
    if not isinstance(value, ModuleType) or provenance.library(value.__name__) or () in chains:
        yield f"global {name}", value
        return
    in_order = sorted(chains)
    for chain in in_order:
        found = module_parts.used(value, chain)
        if found is None:
            yield f"global {name}", value
            for each in in_order:  # what somebody has put there is not in its source
                yield f"global {name}.{'.'.join(each)}", module_parts.put_there(value, each)
            return
        yield f"global {name}.{'.'.join(chain)}", (found.value, found.statements)


@lru_cache(maxsize=1024)
def _reads(code: CodeType) -> tuple[tuple[tuple[str, Chains], ...], tuple[str, ...]]:
    """Return the globals that code and code within it reads, and the modules that it imports.

    With each global come the attributes that are read of it: `lib.table.size` is ("table", "size"),
    and () stands for what is done with it otherwise.
    """
    names: dict[str, set[tuple[str, ...]]] = {}
    modules: dict[str, None] = {}
    changed: set[str] = set()
    last, reading = "", ""
    chain: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if step.opname in _BETWEEN:
            continue
        if reading and step.opname in _ATTRIBUTES:
            chain = (*chain, step.argval)
            continue
        if reading:
            names.setdefault(reading, set()).add(chain)
        reading, chain = "", ()
        if step.opname in _GLOBALS:
            reading = step.argval
        elif step.opname == "IMPORT_NAME":
            last = step.argval
            modules[last] = None
        elif step.opname == "IMPORT_FROM":
            modules[f"{last}.{step.argval}"] = None
        elif step.opname in _CHANGES:
            changed.add(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = _reads(constant)
            for name, chains in inner[0]:
                names.setdefault(name, set()).update(chains)
            modules |= dict.fromkeys(inner[1])
    for name in changed & names.keys():
        names[name].add(())
    return tuple((name, frozenset(chains)) for name, chains in names.items()), tuple(modules)


@lru_cache(maxsize=1024)
def _attributes(code: CodeType) -> frozenset[str]:
    """Return all names in code and in code within it."""
    inner = (_attributes(each) for each in code.co_consts if isinstance(each, CodeType))
    return frozenset(code.co_names).union(*inner)


@lru_cache(maxsize=1024)
def _code(code: CodeType) -> bytes:
    """Return what code does, as it was compiled, whatever the interpreter has made of it since."""
    facts = (
        code.co_code, getattr(code, "co_exceptiontable", b""), code.co_name, code.co_flags,
        code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
        code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount,
        [_constant(constant, code) for constant in code.co_consts],
    )  # fmt: skip
    return blake2b(repr(facts).encode("utf-8", "backslashreplace"), digest_size=SIZE).digest()


def _constant(constant: Any, code: CodeType) -> Any:
    """Return a constant as something whose text is the same in each run."""
    if isinstance(constant, CodeType):
        return _code(constant)
    if isinstance(constant, frozenset):
        return "frozenset", sorted(repr(_constant(element, code)) for element in constant)
    if isinstance(constant, tuple):
        inner = [_constant(element, code) for element in constant]
        # In the body of a class, from 3.13 on: its attributes, in the order of a set.
        return sorted(inner, key=repr) if "__static_attributes__" in code.co_names else inner
    if constant == code.co_firstlineno and "__firstlineno__" in code.co_names:
        return "line"
    return constant


def _class(kind: type) -> tuple[Any, Iterable[tuple[str, Any]]]:
    values = [("metaclass", type(kind)), ("bases", kind.__bases__)]
    values += [(name, value) for name, value in vars(kind).items() if name not in _VOLATILE]
    if not provenance.library(kind.__module__) and any(hides(value) for _, value in values):
        made = kind.__qualname__.partition(".")[0]
        values.append(("made", import_effects.of(kind.__module__, made, True)))
    return ("class", kind.__qualname__, _annotations(kind)), values


def _annotations(kind: type) -> list[str]:
    """Return the annotations of a class as text: a class of a library may go by them."""
    try:
        found = (
            vars(kind)["__annotations__"] if sys.version_info < (3, 14) else kind.__annotations__
        )
        texts = [f"{name}: {annotation!r}" for name, annotation in found.items()]
    except Exception:  # none, or names that are not to be had
        return []
    return [text for text in texts if " at 0x" not in text]
