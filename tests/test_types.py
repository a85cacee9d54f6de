"""What type checkers and editors know: true signatures, types, and docstrings."""

from __future__ import annotations

import inspect
import json
import re
import runpy
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from write_stub import FUNCTIONS_PATH, PATH, functions_stub, stub

from tinytorch import Operation, Tensor

ROOT = Path(__file__).parents[1]
TYPED = ROOT / "tests" / "typed"
SCRIPTS = Path(sysconfig.get_path("scripts"))
RIGHT, WRONG = TYPED / "right.py", TYPED / "wrong.py"


# --- at run time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("exp", "(self)"),
        ("__add__", "(self, other)"),
        ("__radd__", "(self, other)"),
        ("sum", "(self, axis=None, keepdims=False)"),
        ("softmax", "(self, axis=-1)"),
        ("cumsum", "(self, axis=None, dtype=None)"),
        ("round", "(self, decimals=0)"),
        ("hardtanh", "(self, min_val=-1.0, max_val=1.0)"),
        ("astype", "(self, dtype)"),
        ("std", "(self, axis=None, correction=1, keepdims=False, *, unbiased=True)"),
        ("tril", "(x, k=0)"),
    ],
)
def test_signatures_are_true(method: str, parameters: str) -> None:
    signature = inspect.signature(getattr(Tensor, method))
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == parameters
    assert signature.return_annotation == "Tensor"


def test_an_operation_has_the_signature_of_its_method() -> None:
    assert str(inspect.signature(Operation.EXP)) == "(self) -> 'Tensor'"
    for op in Operation:
        if op.method is not None:
            assert inspect.signature(op) == inspect.signature(op.method)


def test_no_method_hides_its_parameters() -> None:
    for name, method in inspect.getmembers(Tensor, inspect.isfunction):
        parameters = inspect.signature(method).parameters.values()
        hidden = [p for p in parameters if p.kind is p.VAR_KEYWORD]
        # Those of `add_` are `add`'s, those of `new_zeros` are `zeros`'s.
        known = name in {"pinv", "pinverse", "cuda", "__array_ufunc__", "__dlpack__"}
        assert not hidden or known or name.endswith("_") or name.startswith("new_")


# --- type checkers --------------------------------------------------------------------------------


def test_the_stub_is_what_make_stub_writes() -> None:
    assert PATH.read_text(encoding="utf-8") == stub(), "run `make stub`"
    assert FUNCTIONS_PATH.read_text(encoding="utf-8") == functions_stub(), "run `make stub`"


def test_the_right_program_runs() -> None:
    runpy.run_path(str(RIGHT))


def mypy(_folder: Path) -> Iterator[tuple[str, int]]:
    """Give the file and line of each error that mypy finds in the two programs."""
    command = [sys.executable, "-m", "mypy", "--strict", RIGHT, WRONG]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr
    for path, line in re.findall(r"^(.+):(\d+): error:", done.stdout, re.MULTILINE):
        yield Path(path).name, int(line)


def pyright(folder: Path) -> Iterator[tuple[str, int]]:
    """Give the file and line of each error that Pyright finds in the two programs."""
    settings = {"include": [str(TYPED)], "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}
    project = folder / "pyrightconfig.json"
    project.write_text(json.dumps(settings))
    command = [SCRIPTS / "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, "-p", project], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 2
    for found in report["generalDiagnostics"]:
        yield Path(found["file"]).name, found["range"]["start"]["line"] + 1


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_a_checker_accepts_what_is_right_and_refuses_what_is_wrong(
    checker: Any, tmp_path: Path
) -> None:
    lines = WRONG.read_text(encoding="utf-8").splitlines()
    wrong = {(WRONG.name, i) for i, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert len(wrong) > 20
    assert set(checker(tmp_path)) == wrong


# --- editors --------------------------------------------------------------------------------------

PROGRAM = """\
from tinytorch import Tensor
x = Tensor([1.0, 2.0])
x.sum()
x.softmax()
x.exp()
"""


class Editor:
    """Speaks the Language Server Protocol with Pyright's server."""

    def __init__(self, server: subprocess.Popen[bytes], folder: Path) -> None:
        self.input, self.output, self.requests = server.stdin, server.stdout, 0
        self.uri = (folder / "program.py").as_uri()
        folders = [{"uri": folder.as_uri(), "name": "editor"}]
        self.ask("initialize", processId=None, capabilities={}, workspaceFolders=folders)
        self.send(method="initialized", params={})
        document = {"uri": self.uri, "languageId": "python", "version": 1, "text": PROGRAM}
        self.send(method="textDocument/didOpen", params={"textDocument": document})

    def send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.input.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.input.flush()

    def ask(self, method: str, **params: Any) -> Any:
        self.requests += 1
        self.send(id=self.requests, method=method, params=params)
        while True:
            size = 0
            while line := self.output.readline().strip():
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            message = json.loads(self.output.read(size))
            if message.get("id") == self.requests and "method" not in message:
                return message["result"]
            if "method" in message and "id" in message:  # the server asks, for settings say
                items = message.get("params", {}).get("items", [])
                self.send(id=message["id"], result=[None for _ in items])

    def at(self, feature: str, text: str) -> Any:
        """Ask for a feature where `text` ends."""
        before = PROGRAM[: PROGRAM.index(text) + len(text)]
        line, character = before.count("\n"), len(before) - before.rfind("\n") - 1
        position = {"line": line, "character": character}
        return self.ask(
            f"textDocument/{feature}", textDocument={"uri": self.uri}, position=position
        )


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("editor")
    (folder / "program.py").write_text(PROGRAM)
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)]}))
    command = [SCRIPTS / "basedpyright-langserver", "--stdio"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL) as server:
        yield Editor(server, folder)
        server.kill()


@pytest.mark.parametrize(
    ("call", "parameters", "doc"),
    [
        ("x.sum(", ["axis: Axis = None", "keepdims: bool = False"], "The sum"),
        ("x.softmax(", ["axis: int = -1"], "exp(x) / sum(exp(x)) along `axis`"),
        ("x.exp(", [], "e to the power x"),
    ],
)
def test_an_editor_shows_parameters_and_docstring(
    editor: Editor, call: str, parameters: list[str], doc: str
) -> None:
    signature = editor.at("signatureHelp", call)["signatures"][0]
    assert all(parameter in signature["label"] for parameter in parameters)
    assert doc in json.dumps(signature["documentation"])
    hover = json.dumps(editor.at("hover", call[:-1]))
    assert all(parameter in hover for parameter in [*parameters, doc, "-> Tensor"])
