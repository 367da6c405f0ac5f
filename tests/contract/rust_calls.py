"""Reads the Rust code of a program, and says of each function which others it calls, and which actions of AWS.

What is read is what is compiled for production: from `main.rs` and `lib.rs` along the `mod` declarations, without what
is for tests only. This is no compiler. Where it cannot know, it names more, never less:

- A type is the names that it is written with, a type parameter those of its bounds: `Option<&L>` where `L: Ledger` is
  `Option` and `Ledger`. What the type parameters of a struct are is gathered from all places that bind them.
- `self`, its fields and constants are what they are declared to be. Any other value, a parameter, a local variable or
  an answer, may be whatever its function gets hold of: what its text names, what stands in the signatures of the
  functions that it names, and what is in the fields and in the methods' signatures of all that.
- A method is looked up under each name of its receiver; that of a trait is that of all types that implement it.
- To name a function, a constant or a macro is to call it.

A call that it takes for another of the same name is told apart by a path: `Option::take(&mut x)` for `x.take()`.

It does not see what runs without being named (`Drop`, operators, `Display`), functions that a macro makes, and a client
that somebody else's code makes of nothing (`Default`, `parse`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

PARSER = Parser(Language(tree_sitter_rust.language()))
FOR_TESTS = re.compile(r"#\[cfg\((any\()?test\b")
OWN_TYPE = re.compile(r"\b(?:struct|enum|trait|type) (\w+)")
CLIENT = re.compile(r"\baws_sdk_(\w+)::(?:[^;]*?\W)??Client\b(?: as (\w+))?")

Names = frozenset[str]
Scope = Mapping[str, Names]
NOTHING: Names = frozenset()
KNOWN = ""  # in a scope: what the file declares or imports


@dataclass(frozen=True, eq=False)
class Function:
    """A function, a method, a macro or a constant of ours."""

    name: str
    owner: str
    """The type that it is a method of, with the types that it is given there: `CachedSecret<Keys>`."""
    scope: Scope
    """What `Self` and the type parameters are."""
    node: Node
    path: Path

    def __str__(self) -> str:
        return f"{self.owner}::{self.name}" if self.owner else self.name


def text(node: Node | None) -> str:
    return node.text.decode() if node and node.text else ""


def child(node: Node, field: str) -> Node | None:
    return node.child_by_field_name(field)


def children(node: Node | None) -> Iterator[Node]:
    """What a node is made of, but for comments, visibility and what is compiled for tests only."""
    is_for_tests = False
    for one in node.named_children if node else ():
        if one.type == "attribute_item":
            is_for_tests |= bool(FOR_TESTS.match(text(one)))
        elif one.type not in {"line_comment", "block_comment", "visibility_modifier"}:
            if not is_for_tests:
                yield one
            is_for_tests = False


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    todo = [node]
    while todo:
        yield (one := todo.pop())
        todo += children(one) if one.named_child_count else ()


def in_brackets(node: Node) -> list[Node]:
    """Types or type parameters in angle brackets, without lifetimes."""
    brackets = child(node, "type_arguments") or child(node, "type_parameters")
    return [one for one in children(brackets) if "lifetime" not in one.type]


def head(of_type: Node | None) -> Node | None:
    """`WorkspaceTable` of `WorkspaceTable<K>`."""
    return child(of_type, "type") if of_type and of_type.type == "generic_type" else of_type


class Code:
    """The functions of a program. `actions`: by service, the methods of its client and the actions that they are."""

    def __init__(self, roots: Iterable[Path], actions: Mapping[str, Mapping[str, str]]) -> None:
        self.functions: list[Function] = []
        self._actions = {f"{service} client": methods for service, methods in actions.items()}
        self._free: dict[str, list[Function]] = defaultdict(list)
        self._methods: dict[str, dict[str, list[Function]]] = defaultdict(lambda: defaultdict(list))
        self._fields: dict[str, dict[str, list[tuple[Node, Scope]]]] = defaultdict(lambda: defaultdict(list))
        # What a name stands for besides itself: an alias, a supertrait, the traits of a type, a struct's parameter.
        self._means: dict[str, list[tuple[Node, Scope]]] = defaultdict(list)
        self._aliases: dict[str, Node] = {}
        self._next: dict[tuple[str, bool], Names] = {}
        for path, node in (file for root in roots for file in _files(root)):
            uses = [use for use in walk(node) if use.type == "use_declaration"]
            imported = [name for use in uses for name in walk(use)]
            assert all(name.type != "use_wildcard" for name in imported), f"{path} does not say what it imports"
            known = [*map(text, imported), *OWN_TYPE.findall(text(node))]
            renamed = [(child(name, "alias"), child(name, "path")) for name in imported if name.type == "use_as_clause"]
            scope = {text(alias): frozenset({text(of).rpartition("::")[2]}) for alias, of in renamed}
            clients = [client for use in uses for client in CLIENT.findall(text(use))]
            scope |= {alias or "Client": frozenset({f"{service} client"}) for service, alias in clients}
            self._read(path, node, {KNOWN: frozenset(known), **scope}, "", NOTHING)

    def _read(self, path: Path, node: Node, scope: Scope, owner: str, owners: Names) -> None:
        """Takes in what is declared at and below a node. `owners`: the names under which its methods are found."""
        scope = self._within(node, scope)
        self._declare(node, scope, is_top=not owners)
        if node.type in {"impl_item", "trait_item"}:
            owner = self._written(child(node, "type") or child(node, "name"), scope)
            owners = scope["Self"] | self.names(head(child(node, "trait")), scope)
        elif node.type in {"function_item", "macro_definition", "const_item", "static_item"}:
            function = Function(text(child(node, "name")), owner, scope, node, path)
            self.functions.append(function)
            for found in [self._methods[one] for one in owners] or [self._free]:
                found[function.name].append(function)
            owner, owners = "", NOTHING
        for one in children(node) if node.named_child_count else ():
            self._read(path, one, scope, owner, owners)

    def _within(self, item: Node, scope: Scope) -> Scope:
        """What `Self` and the type parameters are in an item."""
        if not item.type.endswith("_item"):
            return scope
        inner = dict(scope)
        for number, parameter in enumerate(in_brackets(item)):
            is_of_type = item.type in {"struct_item", "enum_item"}
            own = frozenset({f"{text(child(item, 'name'))}.{number}"}) if is_of_type else NOTHING
            inner[text(child(parameter, "name"))] = own | self.names(child(parameter, "bounds"), scope)
        for predicate in (one for where in children(item) if where.type == "where_clause" for one in children(where)):
            if (left := text(child(predicate, "left"))) in inner:
                inner[left] |= self.names(child(predicate, "bounds"), scope)
        if item.type in {"impl_item", "trait_item"}:
            of_type = head(child(item, "type"))
            inner["Self"] = self.names(of_type, inner) if of_type else frozenset({text(child(item, "name"))})
        return inner

    def _declare(self, node: Node, scope: Scope, *, is_top: bool) -> None:
        """Takes in what a node says of names."""
        name, target, bounds = child(node, "name") or child(node, "left"), child(node, "type"), child(node, "bounds")
        match node.type:
            case "struct_item" | "enum_item":
                for number, field in enumerate(children(child(node, "body"))):
                    self._fields[text(name)][text(child(field, "name")) or str(number)].append((field, scope))
            case "generic_type":
                for number, argument in enumerate(in_brackets(node)):
                    if text(argument) in scope:
                        self._means[f"{text(target)}.{number}"].append((argument, scope))
            case "trait_item" | "associated_type" | "where_predicate" if name and bounds:
                # Of `P::Ledger: FailedRows`, it is any `Ledger`.
                self._means[text(child(name, "name") or name)].append((bounds, scope))
            case "impl_item" if trait := child(node, "trait"):
                for one in scope["Self"]:
                    self._means[one].append((trait, scope))
            case "type_item" | "const_item" | "static_item" if target:
                for one in {text(name)} if is_top else scope["Self"]:
                    self._means[one].append((target, scope))
                self._aliases |= {text(name): target} if is_top else {}

    def _written(self, target: Node | None, scope: Scope) -> str:
        """A type as it is written, without the type parameters that are around it."""
        target = self._aliases.get(text(target), target)
        given = ", ".join(text(one) for one in in_brackets(target) if text(one) not in scope) if target else ""
        return text(head(target)) + (f"<{given}>" if given else "")

    def names(self, of_type: Node | None, scope: Scope) -> Names:
        """The names that a type is written with."""
        match of_type and of_type.type:
            case "type_identifier":
                return scope.get(text(of_type), scope[KNOWN] & {text(of_type)})
            case "scoped_type_identifier":
                client = CLIENT.fullmatch(text(of_type))
                return frozenset({f"{client[1]} client" if client else text(of_type).rpartition("::")[2]})
        return NOTHING.union(*(self.names(part, scope) for part in children(of_type)))

    def _signature(self, function: Function) -> Names:
        parts = (child(function.node, part) for part in ("parameters", "return_type"))
        return NOTHING.union(*(self.names(part, function.scope) for part in parts))

    def _all(self, names: Iterable[str], *, within: bool = False) -> set[str]:
        """Names with all that they stand for; `within`: and what is in their fields and their methods' signatures."""
        found, todo = set(names), list(names)
        while todo:
            if (key := (todo.pop(), within)) not in self._next:
                fields = [one for field in self._fields[key[0]].values() for one in field] if within else []
                methods = [one for same in self._methods[key[0]].values() for one in same] if within else []
                declared = (self.names(*one) for one in [*self._means[key[0]], *fields])
                self._next[key] = NOTHING.union(*declared, *map(self._signature, methods))
            todo += self._next[key] - found
            found |= self._next[key]
        return found

    def texts(self, function: Function) -> Names:
        """The texts that a function writes, itself or by the name of a constant."""
        named = [one for node in walk(function.node) for one in self._named(node, function)]
        written = (one.node for one in (function, *named) if one is function or one.node.type == "const_item")
        literals = (node for one in written for node in walk(one) if node.type == "string_literal")
        return frozenset(text(literal).strip('"') for literal in literals)

    def calls(self, function: Function) -> Iterator[tuple[Function | str, Node]]:
        """What a function calls, functions of ours and actions (`dynamodb:GetItem`), and where."""
        macros = [macro for one in walk(function.node) for macro in self._free.get(text(child(one, "macro")), ())]
        nodes = [node for one in (function, *macros) for node in walk(one.node)]
        named = [(one, node) for node in nodes for one in self._named(node, function)]
        yield from named
        in_reach = self._in_reach(function, nodes, (one for one, _ in named))
        for node in nodes:
            if node.type == "field_expression":
                name, receiver = text(child(node, "field")), self._receiver(child(node, "value"), function, in_reach)
            elif node.type == "identifier" and _before_in_macro(node) in {".", "::"}:
                name, receiver = text(node), in_reach
            else:
                continue
            for one in self._all(receiver):
                yield from ((method, node) for method in self._methods[one].get(name, ()))
                if action := self._actions.get(one, {}).get(name):
                    yield f"{one.removesuffix(' client')}:{action}", node

    def _in_reach(self, function: Function, nodes: Iterable[Node], named: Iterable[Function]) -> Names:
        """What a value may be of which its function does not say what it is."""
        names = [names for name, names in function.scope.items() if name != KNOWN]
        names += [self.names(node, function.scope) for node in nodes if node.type.endswith("type_identifier")]
        names += [frozenset({text(node)}) for node in nodes if node.type == "identifier"]
        return frozenset(self._all(NOTHING.union(*names, *map(self._signature, named)), within=True))

    def _receiver(self, value: Node | None, function: Function, in_reach: Names) -> Names:
        if value and value.type == "self":
            return function.scope.get("Self", in_reach)
        if value and value.type == "identifier" and text(value).isupper():
            return frozenset({text(value)})
        if value and value.type == "field_expression":
            owners, field = self._receiver(child(value, "value"), function, in_reach), text(child(value, "field"))
            if declared := [one for owner in self._all(owners) for one in self._fields[owner].get(field, ())]:
                names = NOTHING.union(*(self.names(*one) for one in declared))
                # What a struct is given for a type parameter stands beside it.
                return names | owners if any("." in name for name in names) else names
        return in_reach

    def _named(self, node: Node, function: Function) -> list[Function]:
        """The functions that a name or a path may be."""
        if node.type not in {"identifier", "scoped_identifier"}:
            return []
        if node.parent and node.parent.type == "scoped_identifier":
            return []
        name, path = text(child(node, "name") or node), child(node, "path")
        free = [one for each in function.scope.get(name, {name}) for one in self._free.get(each, ())]
        if not path:
            is_any = name in function.scope[KNOWN] or _before_in_macro(node) == "::"
            return [one for one in free if is_any or one.path == function.path]
        owner = text(path).rpartition("::")[2]
        owners = self._all(function.scope.get(owner, frozenset({owner})) | self.names(path, function.scope))
        methods = [one for each in owners for one in self._methods[each].get(name, ())]
        return methods or [one for one in free if owner in one.path.with_suffix("").parts] or free


def _before_in_macro(name: Node) -> str | None:
    """What stands before a name in what a macro is given, or is made of: there it is all words."""
    is_word = name.parent and name.parent.type == "token_tree"
    return name.prev_sibling.type if is_word and name.prev_sibling else None


def _files(path: Path) -> Iterator[tuple[Path, Node]]:
    """A file and those of its modules."""
    root = PARSER.parse(path.read_bytes()).root_node
    assert not root.has_error, f"{path} has Rust in it that is not known here"
    yield path, root
    folder = path.parent if path.name in {"main.rs", "lib.rs", "mod.rs"} else path.with_suffix("")
    for module in children(root):
        if module.type == "mod_item" and not child(module, "body"):
            file = folder / text(child(module, "name"))
            yield from _files(file.with_suffix(".rs") if file.with_suffix(".rs").is_file() else file / "mod.rs")
