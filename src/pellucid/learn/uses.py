"""Which lines of a function make which variables, out of which."""

import ast
from collections.abc import Container, Iterable, Sequence


class Uses:
    """Which lines of a function make which variables, out of which."""

    def __init__(self, tree: ast.Module, main: ast.FunctionDef | None, outputs: Sequence[str]) -> None:
        self.outputs = outputs
        self.made_at: dict[str, list[int]] = {}
        self.used: dict[int, set[str]] = {}
        self.makes: dict[int, set[str]] = {}
        self.returned: list[ast.Return] = []
        self.grows = set[tuple[int, str]]()  # lines that add to a variable, or set a part of it
        self.keyed: list[tuple[int, str]] = []  # lines that set an entry of a dictionary
        self.entries: list[tuple[str, str]] = []  # of a dictionary that is written out: key, variable
        self.inside: dict[int, ast.stmt] = {}  # the loop or condition that a line is in
        self.empty = set[int]()  # lines that ask for arrays of whatever numbers are there
        for block in ast.walk(tree):
            if isinstance(block, ast.For | ast.While | ast.If):
                for part in [*block.body, *block.orelse]:
                    self.inside |= {one.lineno: block for one in ast.walk(part) if isinstance(one, ast.stmt)}
            elif isinstance(block, ast.Attribute) and block.attr in ("empty", "empty_like"):
                self.empty.add(block.lineno)
        self.plain: dict[
            str, list[tuple[int, ast.expr]]
        ] = {}  # what variables are set to, each by a line of its own
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.plain.setdefault(node.targets[0].id, []).append((node.lineno, node.value))
        for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
            for node in ast.walk(function):
                if isinstance(node, ast.stmt) and node is not function:
                    self._note(node, is_main=function is main)

    def _note(self, node: ast.stmt, is_main: bool) -> None:
        parts: Iterable[ast.AST] = [node]
        if isinstance(node, ast.For | ast.While | ast.If | ast.With):
            parts = [p for f, p in ast.iter_fields(node) if isinstance(p, ast.AST)]
        names = [n for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)]
        made = {n.id for n in names if isinstance(n.ctx, ast.Store)} | _changed(node)
        used = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            used.add(node.target.id)
        self.grows |= {
            (node.lineno, name)
            for name in (made & used if isinstance(node, ast.AugAssign) else _changed(node))
        }
        self._note_keys(node)
        self.used.setdefault(node.lineno, set()).update(used)
        self.makes.setdefault(node.lineno, set()).update(made)
        for name in made:
            self.made_at.setdefault(name, []).append(node.lineno)
        if isinstance(node, ast.Return) and is_main:
            self.returned.append(node)

    def _note_keys(self, node: ast.stmt) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
                text = next(
                    (
                        c.value
                        for c in ast.walk(one.slice)
                        if isinstance(c, ast.Constant) and isinstance(c.value, str)
                    ),
                    "",
                )
                if text:
                    self.keyed.append((one.lineno, text))
            elif isinstance(one, ast.Dict):
                for key, value in zip(one.keys, one.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                        self.entries.append((str(key.value), value.id))
                    elif isinstance(key, ast.Constant):
                        self.keyed.append((value.lineno, str(key.value)))
            elif isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "dict":
                self.entries += [
                    (str(word.arg), word.value.id)
                    for word in one.keywords
                    if isinstance(word.value, ast.Name)
                ]

    @property
    def lines(self) -> list[int]:
        """The lines of statements."""
        return sorted(self.used)

    @property
    def all_returns(self) -> set[int]:
        """The lines that return something."""
        return {node.lineno for node in self.returned}

    @property
    def returns(self) -> int:
        """The last line that returns something; of a function that does not, its last line."""
        return max(self.all_returns, default=max(self.lines, default=0))

    def _returned(self, wrong: set[str]) -> set[str]:
        """Return the variables that become wrong outputs."""
        found = set[str]()
        names = self.outputs
        keys = wrong - set(names)
        for node in self.returned:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for i, part in enumerate(parts):
                is_wrong = len(parts) != len(names) or names[i] in wrong or bool(keys)
                if part is not None and is_wrong:
                    found |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
        found |= {name for key, name in self.entries if key in keys}
        return found

    def _entries(self, wrong: set[str]) -> list[int]:
        """Return the lines that set wrong entries of a dictionary: by their keys, or what the keys begin with."""
        keys = wrong - set(self.outputs)
        begins = {key.rstrip("0123456789") for key in keys}
        return sorted(line for line, key in self.keyed if key in keys or key in begins)

    def made(self, wrong: set[str], misshapen: Container[str] = ()) -> list[int]:
        """Return the lines that made the variables that are wrong outputs, the last first.

        One that something else uses, too, is only wrong where it is returned, unless its shape is.
        """
        if any(isinstance(node.value, ast.Tuple) != (len(self.outputs) > 1) for node in self.returned):
            return []  # another number of outputs: that is said where they are returned
        if wrong - set(self.outputs):  # entries of a dictionary
            lines = self._entries(wrong)
            return [
                *(
                    max(self.made_at[name])
                    for key, name in self.entries
                    if key in wrong and name in self.made_at
                ),
                *lines,
            ]
        parts = [
            (self.outputs[i] if isinstance(node.value, ast.Tuple) else self.outputs[0], part)
            for node in self.returned
            for i, part in enumerate(node.value.elts if isinstance(node.value, ast.Tuple) else [node.value])
            if not isinstance(node.value, ast.Tuple) or set(self.outputs[i : i + 1]) & wrong
        ]
        found = set[int]()
        for output, part in parts:
            bare = _unwrapped(part)
            if isinstance(bare, ast.Name) and bare.id in self.made_at:
                line = max(self.made_at[bare.id])
                is_to_blame = (
                    (line, bare.id) not in self.grows
                    if output in misshapen
                    else not self.users(bare.id) - self.all_returns
                )
                found |= {line} if is_to_blame else set()
        return sorted(found)

    def users(self, name: str) -> set[int]:
        """Return the lines that use a variable, but for those that make it."""
        return {line for line, used in self.used.items() if name in used} - set(self.made_at.get(name, ()))

    def blamed(self, line: int, dropped: set[str], missing_at: ast.expr | None) -> int:
        """Return the line that a repair of another one blames; else 0.

        It is where a variable is made that nothing uses once the repair is made; or, where something is missing at
        a variable that is no more than another name, where it got that name.
        """
        lacking = missing_at.id if isinstance(missing_at, ast.Name) else ""
        for name in self.used.get(line, set()):
            made = self.plain.get(name, [])
            if len(made) == len(self.made_at.get(name, [])) == 1 and self.users(name) == {line}:
                at, value = made[0]
                if name in dropped or (name == lacking and isinstance(value, ast.Name | ast.Subscript)):
                    return at
        return 0

    def behind(self, wrong: set[str]) -> set[int]:
        """Return the lines that wrong outputs depend on."""
        names = self._returned(wrong)
        while True:
            lines = {line for line, made in self.makes.items() if made & names} | self.all_returns
            more = names.union(*(self.used[line] for line in lines - self.all_returns))
            if more == names:
                return lines | {line for line, made in self.makes.items() if not made}
            names = more

    def is_excused(self, line: int, name: str, fine: set[int]) -> bool:
        """Return whether whatever uses a variable makes values that correct programs have."""
        users = [at for at, used in self.used.items() if name in used and at > line and self.makes[at]]
        return bool(users) and all(at in fine for at in users)


def _unwrapped(node: ast.expr | None) -> ast.expr | None:
    """Return what is made into another kind of number, or turned, as it is returned."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in ("float", "squeeze", "array", "asarray") and len(node.args) == 1:
            return node.args[0]
        if name in ("astype", "item", "squeeze", "copy") and isinstance(node.func, ast.Attribute):
            return node.func.value
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node


def _changed(node: ast.stmt) -> set[str]:
    """Return the variables that a statement changes in part: ``X[...] = ``, ``costs.append()``."""
    found = set[str]()
    for one in ast.walk(node):
        target: ast.AST | None = None
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
            target = one.value
        elif (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and one.func.attr in ("append", "update", "extend", "insert")
        ):
            target = one.func.value
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return found
