"""Changes that a digest of code covers, and changes that it ignores, in a small project."""

import pytest

from tests.support.code_project import digest, edit, make_project


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


COVERED = {
    "a constant": ("lib/used.py", "_OFFSET = 10", "_OFFSET = 11"),
    "a comparison": ("lib/used.py", "x < 5", "x <= 5"),
    "a sign": ("lib/used.py", "else -x", "else +x"),
    "a default": ("lib/used.py", "factor=2", "factor=3"),
    "a key": ("lib/used.py", '"key"', '"kay"'),
    "an argument": ("script.py", "factor=4", "factor=5"),
    "the order of arguments": ("script.py", "doubled(options.size, factor=4)", "doubled(4, factor=options.size)"),
    "an operator": ("lib/used.py", "factor * x", "factor + x"),
    "a type of number": ("lib/used.py", "x < 5", "x < 5.0"),
    "a boolean": ("lib/used.py", "x < 5", "x < True"),
    "a function of a package": ("lib/inner.py", "numpy.ones", "numpy.zeros"),
    "an import of a package": ("lib/inner.py", "import numpy", "import pandas as numpy"),
    "which function is called": (
        "script.py",
        "import other, twice as doubled",
        "import twice as other, other as doubled",
    ),
    "another local variable": ("lib/used.py", "for value in (total,)", "for value in (x,)"),
    "a caught exception": ("lib/used.py", "except KeyError", "except LookupError"),
    "the name of an option": ("script.py", '"--size"', '"--sizes"'),
    "an option's default": ("script.py", "default=3", "default=4"),
    "a code": ("script.py", '"seven"', '"eight"'),
    "an argument beside a message": ("script.py", '"a file"', '"no file"'),
    "whether there is a message": ("script.py", "None if size", "None if not size"),
    "an assertion": ("script.py", "options.size > 0", "options.size >= 0"),
    "a field": ("lib/records.py", "    file: str", "    path: str"),
    "a method": ("lib/records.py", "self.code = code", "self.code = code.upper()"),
    "a registered function": ("lib/registry.py", "x + 1", "x + 2"),
    "the name of a registration": ("lib/registry.py", '@register("a")', '@register("b")'),
    "a statement with an effect at import": (
        "lib/registry.py",
        "import json",
        "import json\njson.encoder.FLOAT_REPR = str",
    ),
}
IGNORED = {
    "a comment": ("lib/used.py", "return x if", "# why\n    return x if"),
    "a docstring": ("lib/used.py", '"""D."""', '"""Twice as much."""'),
    "a docstring of a constant": ("lib/inner.py", '"""O."""', '"""Of a constant."""'),
    "formatting": ("lib/used.py", "factor * x * one", "factor  *  x*one"),
    "a module that is not imported": ("lib/unused.py", "1", "2"),
    "a template of another package": ("lib/page/page.html", "<p>", "<b>"),
    "an annotation": ("lib/used.py", "def _helper(x)", "def _helper(x: int) -> int"),
    "a function that is not called": ("lib/used.py", "    return x\n", "    return x + 1\n"),
    "a log line": ("script.py", '"begun with %d"', '"it begins with %d"'),
    "a removed log line": ("script.py", 'talk.logger.info("begun with %d", options.size)\n', "pass\n"),
    "a printed line": ("script.py", '{options.size} cases"', '{options.size:,} cases are there"'),
    "a message of an assertion": ("script.py", '"too few"', '"not enough"'),
    "a message of an exception": ("script.py", "are too many", "are more than nine"),
    "a message of the project's exception": ("script.py", "{message}, and seven", "{message}; seven"),
    "a text used only in messages": ("script.py", '{size} is"', '{size} cases are"'),
    "a text added to a message": ("script.py", '" odd"', '" an odd number"'),
    "a text returned as a message": ("script.py", '"there is none"', '"nothing is there"'),
    "help": ("script.py", "how many", "number of cases"),
    "a description": ("script.py", "What it does.", "What is done."),
    "an argument of a module for people": ("script.py", "} steps", "} rounds"),
    "a module for people": ("lib/talk.py", 'getLogger("lib")', 'getLogger("other")'),
    "a private function's name": ("lib/used.py", "_helper", "_fold"),
    "a constant's name": ("lib/used.py", "_OFFSET", "_SHIFT"),
    "a local variable": ("lib/used.py", "total", "product"),
    "a variable of a comprehension": ("lib/used.py", "value", "entry"),
    "a parameter of a function": ("lib/used.py", "(y)", "(z)"),
    "an unused import": ("script.py", "twice as doubled", "twice as doubled, _unused"),
}


@pytest.mark.parametrize("change", COVERED)
def test_a_change_of_the_result_changes_the_digest(project, change):
    first = digest(project)
    edit(project, *COVERED[change])
    assert digest(project) != first


@pytest.mark.parametrize("change", IGNORED)
def test_a_change_of_texts_or_names_does_not_change_the_digest(project, change):
    first = digest(project)
    edit(project, *IGNORED[change])
    assert digest(project) == first


def test_a_parameter_renamed_with_its_callers_does_not_change_the_digest(project):
    first = digest(project)
    edit(project, "lib/used.py", "factor", "times")
    assert digest(project) != first  # the caller still uses the old name
    edit(project, "script.py", "factor", "times")
    assert digest(project) == first


def test_a_moved_module_does_not_change_the_digest(project):
    first = digest(project)
    (project / "lib/deep").mkdir()
    (project / "lib/deep/__init__.py").touch()
    (project / "lib/used.py").rename(project / "lib/deep/very_used.py")
    edit(project, "script.py", "lib.used", "lib.deep.very_used")
    assert digest(project) == first


def test_a_moved_function_does_not_change_the_digest(project):
    first = digest(project)
    helper = "def _helper(x):\n    return x if x < 5 else -x\n"
    edit(project, "lib/used.py", helper, "")
    edit(project, "lib/used.py", "import lib.registry", "import lib.registry\nfrom lib.unused import _helper")
    edit(project, "lib/unused.py", "x = 1", helper)
    assert digest(project) == first
