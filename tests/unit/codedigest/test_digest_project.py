"""Changes of this project's own code, and the scripts whose digests they change."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from tests.support.builders import REPOSITORY
from tumorseg.codedigest.digest import CodeDigests
from tumorseg.codedigest.special_names import FOR_PEOPLE_ONLY
from tumorseg.networks.notices import DEMO_MODEL_WARNING, STARTER_MODEL_WARNING

pytestmark = pytest.mark.slow

SCRIPTS = [path.stem for path in sorted((REPOSITORY / "scripts").glob("*.py"))]
IMPORTED_BY_NAME = {
    "figure": ["tumorseg/plotting/catalogue/overlays.py"],  # of the requested figure
    "train_epoch": [],  # it starts from random weights
}


def digests(root: Path) -> dict[str, str]:
    code = CodeDigests(root)
    modules = {script: [root / file for file in files] for script, files in IMPORTED_BY_NAME.items()}
    return {script: code.digest(root / f"{script}.py", modules.get(script)) for script in SCRIPTS}


@pytest.fixture
def scripts(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "*.js", "tasks")
    return Path(shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts", ignore=ignored))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """Return the digests of a copy without the JavaScript of the viewer."""
    ignored = shutil.ignore_patterns("__pycache__", "*.js", "tasks")
    return digests(
        Path(shutil.copytree(REPOSITORY / "scripts", tmp_path_factory.mktemp("copy") / "scripts", ignore=ignored))
    )


def changed(scripts: Path, copied: dict[str, str]) -> set[str]:
    return {script for script, digest in digests(scripts).items() if digest != copied[script]}


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


class _RewordMessages(ast.NodeTransformer):
    """Changes the texts that are raised, logged, printed or shown as help."""

    def visit_Raise(self, node):
        if isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in ("UserError", "ValueError"):
            reword(node.exc)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        called = ast.unparse(node.func)
        if called.endswith(("logger.info", "logger.warning", "logger.error", "ArgumentParser")):
            reword(node)
        if called == "parser.add_argument":
            reword(*(keyword for keyword in node.keywords if keyword.arg == "help"))
        if called in ("Finding", "Problem") and node.args and isinstance(node.args[0], ast.Constant):
            reword(*node.args[-1:])
        return node


class _RewordSentences(ast.NodeTransformer):
    """Changes every text that looks like a sentence or a part of one."""

    def visit_Constant(self, node):
        text = node.value
        if isinstance(text, str) and " " in text and re.search("[a-z]{2}", text) and not re.search(r"[\[\\|]", text):
            node.value = text if text in NO_SENTENCES else f"in other words: {text}"
        return node


CHAIN = {"validate_batch", "manifest", "split", "normalise_batch", "training_data", "train_epoch", "verify_checkpoint"}
CHAIN |= {"select_checkpoint", "predict"}
"""The scripts after whose change the workflow would train or predict again."""
NO_SENTENCES = {
    *("version https://git-lfs", "<!doctype html"),  # starts of files
    *("allocate memory", "out of memory", "Too many open files"),  # messages of other programs
    *("\0tumorseg of user ", ", allocation "),  # a name in the operating system
    "case ",  # a prefix of array names in a file
    *(DEMO_MODEL_WARNING, STARTER_MODEL_WARNING),  # written into masks
}


def reword(*nodes):
    for text in (part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Constant)):
        if isinstance(text.value, str) and " " in text.value:
            text.value = f"in other words: {text.value}"


def test_reworded_messages_change_no_digest(scripts, copied):
    for path in scripts.rglob("*.py"):
        path.write_text(ast.unparse(_RewordMessages().visit(ast.parse(path.read_text()))))
    assert changed(scripts, copied) == set()


def test_reworded_sentences_change_no_digest_of_training_and_prediction(scripts, copied):
    for path in scripts.rglob("*.py"):
        path.write_text(ast.unparse(_RewordSentences().visit(ast.parse(path.read_text()))))
    assert not CHAIN & changed(scripts, copied)


def test_the_code_of_synthetic_cases_changes_no_digest_of_training(scripts, copied):
    edit(
        scripts / "tumorseg/synthetic/case.py", "_VENTRICLE_REACH_MM: Final = 14.0", "_VENTRICLE_REACH_MM: Final = 15.0"
    )
    edit(scripts / "tumorseg/synthetic/simulator.py", "_NICENESS: Final = 10", "_NICENESS: Final = 11")
    assert changed(scripts, copied) == {"write_synthetic_cases"}


@pytest.mark.parametrize(("imported", "depends"), [([], False), (["tumorseg/training/start_model.py"], True)])
def test_the_format_of_models_changes_the_digest_of_a_training_that_starts_from_one(scripts, imported, depends):
    modules = [scripts / file for file in imported]
    before = CodeDigests(scripts).digest(scripts / "train_epoch.py", modules)
    edit(scripts / "tumorseg/networks/model_header.py", "FORMAT: Final = 5", "FORMAT: Final = 6")
    assert (CodeDigests(scripts).digest(scripts / "train_epoch.py", modules) != before) == depends


def test_a_moved_module_and_a_renamed_constant_change_no_digest(scripts, copied):
    library = scripts / "tumorseg"
    (library / "training/losses.py").rename(library / "networks/objective_terms.py")
    for path in scripts.rglob("*.py"):
        text = path.read_text().replace("tumorseg.training.losses", "tumorseg.networks.objective_terms")
        path.write_text(re.sub(r"\b_SMOOTHING\b", "_EPSILON", text))
    assert changed(scripts, copied) == set()


def test_a_constant_of_the_loss_changes_training_only(scripts, copied):
    edit(scripts / "tumorseg/training/losses.py", "_SMOOTHING = 1e-5", "_SMOOTHING = 1e-4")
    assert changed(scripts, copied) == {"train_epoch", "learning_curve_training"}


def test_the_modules_for_people_only_are_these():
    library = REPOSITORY / "scripts/tumorseg"
    marked = {
        path.relative_to(library).as_posix()
        for path in library.rglob("*.py")
        if re.search(rf"^{FOR_PEOPLE_ONLY}\b.* = \"", path.read_text(), re.MULTILINE)
    }
    assert marked == {"cli/console.py", "cli/heartbeat.py", "training/tensorboard.py", "codedigest/special_names.py"}
