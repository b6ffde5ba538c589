"""The parts of a page with the viewer, as an HTML parser reads them."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import REPOSITORY
from tumorseg.errors import UserError
from tumorseg.plotting.agreement_map import OUTCOMES
from tumorseg.plotting.viewer_volumes import MAX_CASE_BYTES
from tumorseg.reporting.viewer.embed import NIIVUE_SHA256, NIIVUE_VERSION, EmbeddedViewer, embed_viewer
from tumorseg.task import Task, built_in_tasks, load_task

VIEWER = REPOSITORY / "scripts/tumorseg/reporting/viewer"
COLOURS = {1: "#D55E00", 2: "#56B4E9", 4: "#F0E442"}
TASK = load_task()
HOSTILE = "</script><!-- <b>\"x\" & 'y'"


class Elements(HTMLParser):
    """The elements of a page with tag, attributes and text, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data):
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def settings_of(parts: EmbeddedViewer) -> dict[str, Any]:
    """Return the settings that the script of a viewer reads."""
    scripts = Elements(parts.scripts).all("script")
    (text,) = [text for attributes, text in scripts if attributes.get("id") == "viewer-settings"]
    return json.loads(text)


def write(path: Path, names: list[str], task: Task = TASK) -> Path:
    cases = [
        {
            "case": name,
            "title": f"{name}: best",
            "dice": dict.fromkeys(task.structures, 0.5),
            "spacing": [1, 1, 1],
            "start": [0.0, 1.0, 2.0],
            "levels": 64,
            "strides": [1, 1, 1],
            "volumes": {"t1": "AAAA"},
        }
        for name in names
    ]
    path.write_text(json.dumps({"cases": cases}))
    return path


@pytest.fixture
def parts(tmp_path: Path) -> EmbeddedViewer:
    return embed_viewer(write(tmp_path / "viewer.json", ["a", HOSTILE]), COLOURS, 0.4, TASK)


def test_niivue_is_the_file_of_its_package():
    assert hashlib.sha256((VIEWER / "niivue.umd.js").read_bytes()).hexdigest() == NIIVUE_SHA256


def test_niivue_can_be_in_a_script_element():
    text = (VIEWER / "niivue.umd.js").read_text(encoding="utf-8")
    assert not re.search(r"</script|<!--", text, re.IGNORECASE)


def test_the_page_contains_the_licence_of_the_niivue_version(parts):
    licence = (VIEWER / "NIIVUE-LICENSE.txt").read_text(encoding="utf-8")
    assert f"@niivue/niivue {NIIVUE_VERSION}" in licence
    assert licence in parts.scripts
    assert f"NiiVue {NIIVUE_VERSION}" in parts.markup


def test_no_name_of_a_case_ends_a_script(parts):
    scripts = Elements(parts.scripts).all("script")
    assert [attributes.get("id", attributes.get("class")) for attributes, _ in scripts] == [
        "niivue-licence",
        "niivue-source",
        "viewer-settings",
        "viewer-case",
        "viewer-case",
        None,
    ]
    assert [json.loads(text)["case"] for attributes, text in scripts if attributes.get("class")] == ["a", HOSTILE]
    assert json.loads(scripts[2][1])["cases"] == ["a", HOSTILE]


def test_only_the_last_script_runs_immediately(parts):
    types = [attributes.get("type") for attributes, _ in Elements(parts.scripts).all("script")]
    assert types == ["text/plain", "text/plain", *["application/json"] * 3, None]


def test_names_of_cases_are_text_in_the_selector(parts):
    options = Elements(parts.markup).all("option")
    assert [(attributes["value"], text.strip()) for attributes, text in options[:2]] == [
        ("a", "a: best"),
        (HOSTILE, f"{HOSTILE}: best"),
    ]
    assert options[0][0]["data-text"].startswith("Dice: WT 0.500, TC 0.500")
    assert parts.cases == ("a", HOSTILE)


def test_colours_are_indexed_by_label(parts):
    settings = settings_of(parts)
    assert {label: settings["colours"][label] for label in COLOURS} == COLOURS
    assert len(settings["colours"]) == len(settings["labels"]) == 5


def test_the_initial_opacity_is_that_of_the_figures(parts):
    sliders = [attributes for attributes, _ in Elements(parts.markup).all("input") if attributes["type"] == "range"]
    assert sliders[0]["id"] == "viewer-opacity"
    assert sliders[0]["value"] == "40"


def test_every_control_has_a_label(parts):
    elements = Elements(parts.markup)
    labelled = {attributes.get("for") for attributes, _ in elements.all("label")}
    controls = [attributes for tag in ("select", "input") for attributes, _ in elements.all(tag)]
    assert len(controls) == 12
    assert all(control["id"] in labelled for control in controls if control.get("type") != "checkbox")
    assert parts.markup.count('<label><input type="checkbox"') == 5


def test_the_script_uses_existing_elements(parts):
    script = (VIEWER / "viewer.js").read_text(encoding="utf-8")
    existing = {
        attributes["id"] for _, attributes, _ in Elements(parts.markup + parts.scripts).found if "id" in attributes
    }
    used = {f"viewer-{name}" for name in re.findall(r'(?:control|ticked)\("(\w+)"\)', script)}
    used |= set(re.findall(r'getElementById\("([\w-]+)"\)', script))
    used |= set(re.findall(r'data-choice="([\w-]+)"', parts.markup))
    used |= {"viewer-all", "viewer-difference"}
    assert len(used) >= 8
    assert used <= existing


def test_the_difference_has_the_colours_and_names_of_the_figures(parts):
    legend = parts.markup[parts.markup.index("viewer-outcomes") :]
    for outcome in OUTCOMES:
        assert settings_of(parts)["outcomes"][outcome.code] == outcome.colour
        assert f'style="background: {outcome.colour}"></span>{outcome.name}' in legend


def test_labels_around_others_are_translucent(parts):
    assert settings_of(parts)["opacities"] == [1.0, 1.0, 0.35, 1.0, 1.0]


def test_all_images_and_both_masks_have_pictures(parts):
    pictures = [found for found, _ in Elements(parts.markup).all("div") if found.get("class") == "viewer-picture"]
    assert [picture.get("data-choice") for picture in pictures] == ["viewer-image", "", "", "", None, None]
    assert [picture.get("data-mask") for picture in pictures[4:]] == ["reference", "prediction"]


def test_three_cases_leave_8_of_25_mb_for_the_rest_of_a_report(parts):
    assert 3 * MAX_CASE_BYTES + len(parts.scripts) + len(parts.markup) + len(parts.style) <= 17_000_000


def test_nothing_is_fetched(parts):
    for _, attributes, _ in Elements(parts.markup + parts.scripts).found:
        assert not {"src", "href"} & set(attributes)
    assert "url(" not in parts.style


def test_equal_arguments_give_equal_text(tmp_path, parts):
    assert embed_viewer(write(tmp_path / "again.json", ["a", HOSTILE]), COLOURS, 0.4, TASK) == parts


def test_a_corrupted_file_is_reported(tmp_path):
    path = tmp_path / "viewer.json"
    path.write_text('{"cases": [')
    with pytest.raises(UserError, match="missing or corrupted"):
        embed_viewer(path, COLOURS, 0.5, TASK)


@pytest.mark.parametrize("name", built_in_tasks())
def test_the_viewer_has_the_images_and_colours_of_its_task(tmp_path, name):
    task = load_task(name)
    colours = {label.value: label.colour for label in task.labels}
    parts = embed_viewer(write(tmp_path / "viewer.json", ["a"], task), colours, 0.4, task)
    options = [attributes for attributes, _ in Elements(parts.markup).all("option") if attributes["value"] != "a"]
    assert [option["value"] for option in options[: len(task.channels)]] == list(task.channel_names)
    (shown,) = [option["value"] for option in options if "selected" in option]
    assert shown == task.channel_names[task.display_channel]
    content = settings_of(parts)
    assert [content["labels"][label.value] for label in task.labels] == [label.title for label in task.labels]
    assert len(content["colours"]) == len(content["labels"]) == task.classes
