"""The digest ignores texts that are annotated as messages, and covers what is beside them."""

import pytest

from tests.support.code_project import digest, edit, make_project

CODE = """
    KINDS: Final[tuple[tuple[bytes, Message], ...]] = ((b"PK", "an archive"), (b"MZ", "a program"))
    REMEDIES: dict[str, Message] = {"full": "make room"}

    class Network:
        def describe(self) -> Message:
            return "a network" if self else "no network"

    def pair(size) -> tuple[str, Message] | None:
        return None if size else ("none", "there is none")

    def all_of(size) -> Iterator[Message]:
        yield "one of them"
        yield from (f"{part} more" for part in range(size))
        if size:
            yield from ["the last"]

    def notes(size, of: dict[str, Message]):
        found: dict[str, Message] = {}
        found["turned"] = "it was turned"
        rest: list[Message] = []
        rest.append("something else")
        rest += ["and so on"]
        text = "in short"
        text = f"{text}, done"
        parser.error(text)
        plain = ["a key"]
        return found, rest, plain, KINDS, REMEDIES, Network, pair, all_of, notes(1, of={"big": "very big"})
"""
WORDS = ("an archive", "make room", "no network", "there is none", "one of them", " more", "the last", "it was turned")
WORDS += ("something else", "and so on", "in short", ", done", "very big")


@pytest.fixture
def project(tmp_path):
    root = make_project(tmp_path)
    lines = [line.removeprefix("    ") for line in CODE.splitlines(keepends=True)]
    (root / "lib/notes.py").write_text("from lib.records import Message\n" + "".join(lines))
    edit(root, "script.py", "def main():", "from lib.notes import notes\n\ndef main():\n    notes(1, {})")
    return root


@pytest.mark.parametrize("words", WORDS)
def test_a_reworded_message_does_not_change_the_digest(project, words):
    first = digest(project)
    edit(project, "lib/notes.py", words, f"{words}, in other words")
    assert digest(project) == first


@pytest.mark.parametrize(
    ("text", "other"),
    [('b"PK"', 'b"QK"'), ("range(size)", "range(7)"), *((text, '"x"') for text in ('"full"', '"none"', '"turned"'))],
)
def test_code_beside_a_message_changes_the_digest(project, text, other):
    first = digest(project)
    edit(project, "lib/notes.py", text, other)
    assert digest(project) != first


@pytest.mark.parametrize("text", ['"a key"', '"big"'])
def test_texts_and_keys_without_the_annotation_change_the_digest(project, text):
    first = digest(project)
    edit(project, "lib/notes.py", text, '"other"')
    assert digest(project) != first


def test_a_text_whose_annotation_is_removed_changes_the_digest(project):
    edit(project, "lib/notes.py", 'dict[str, Message] = {"full"', 'dict[str, str] = {"full"')
    first = digest(project)
    edit(project, "lib/notes.py", "make room", "make more room")
    assert digest(project) != first


@pytest.mark.parametrize("words", ['"it was turned"', '"a network"', '"very big"'])
def test_an_empty_message_is_distinguished_from_one_with_words(project, words):
    first = digest(project)
    edit(project, "lib/notes.py", words, '""')
    assert digest(project) != first


def test_a_condition_on_the_existence_of_a_message_changes_the_digest(project):
    edit(
        project, "script.py", 'Finding("odd", "a file", message)', 'Finding("odd", "a file", message if size else None)'
    )
    first = digest(project)
    edit(project, "script.py", "message if size else", "message if size > 2 else")
    assert digest(project) != first
