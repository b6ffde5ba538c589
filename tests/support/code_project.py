"""A project of a few small modules for tests of the digest of code."""

from pathlib import Path

from tumorseg.codedigest.digest import CodeDigests

FILES = {
    "script.py": """
        import argparse

        from lib import talk
        from lib.records import Finding, Message, Wrong
        from lib.used import other, twice as doubled

        def main():
            parser = argparse.ArgumentParser(description="What it does.")
            parser.add_argument("--size", type=int, default=3, help="how many")
            options = parser.parse_args()
            talk.Progress(f"{options.size} steps")
            talk.logger.info("begun with %d", options.size)
            print(f"{options.size} cases")
            assert options.size > 0, "too few"
            if options.size > 9:
                raise ValueError(f"{options.size} are too many")
            return doubled(options.size, factor=4), other(1), check(options.size), words(options.size)

        def check(size):
            message = f"{size} is"
            message += " odd"
            if size == 7:
                raise Wrong("seven", f"{message}, and seven")
            return [Finding("odd", "a file", message)] if size % 2 else []

        def words(size) -> Message | None:
            return None if size else "there is none"

        if __name__ == "__main__":
            main()
        """,
    "lib/__init__.py": "",
    "lib/talk.py": """
        import logging
        FOR_PEOPLE_ONLY = "progress"
        class Progress:
            def __init__(self, unit):
                self.unit = unit
        logger = logging.getLogger("lib")
        """,
    "lib/records.py": """
        from dataclasses import dataclass
        Message = str

        @dataclass(frozen=True)
        class Finding:
            code: str
            file: str
            message: Message

        class Wrong(Exception):
            def __init__(self, code, message: Message):
                super().__init__(message)
                self.code = code
        """,
    "lib/used.py": '''
        """U."""
        from lib.inner import one
        import lib.registry

        _OFFSET = 10

        def twice(x, factor=2):
            """D."""
            total = factor * x * one
            return [_helper(value) for value in (total,)] + [{"key": _OFFSET}]

        def other(y):
            try:
                return lib.registry.KINDS["a"](y)
            except KeyError:
                return None

        def _helper(x):
            return x if x < 5 else -x

        def _unused(x):
            return x
        ''',
    "lib/registry.py": """
        import json
        KINDS = {}

        def register(kind):
            return lambda function: KINDS.setdefault(kind, function)

        @register("a")
        def first(x):
            return x + 1
        """,
    "lib/inner.py": 'import numpy\n\none = int(numpy.ones(1)[0])\n"""O."""\n',
    "lib/unused.py": "x = 1\n",
    "lib/page/__init__.py": "",
    "lib/page/render.py": "def page():\n    return 1\n",
    "lib/page/page.html": "<p>",
}


def make_project(folder: Path) -> Path:
    """Write the modules of the project into a folder, and return it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        lines = text.removeprefix("\n").splitlines(keepends=True)
        (folder / name).write_text("".join(line.removeprefix("        ") for line in lines))
    return folder


def digest(project: Path, *imported_by_name: str) -> str:
    """Return the digest of the script, and of modules that it imports by name."""
    modules = [project / module for module in imported_by_name] or None
    return CodeDigests(project).digest(project / "script.py", modules)


def edit(project: Path, name: str, before: str, after: str) -> None:
    """Replace a text in a module, which must contain it."""
    text = (project / name).read_text()
    assert before in text
    (project / name).write_text(text.replace(before, after))
