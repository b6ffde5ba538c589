"""The viewer of a page whose cases and NiiVue are in files beside it, as an HTML parser reads it."""

import json
from dataclasses import replace

import pytest

from tests.unit.reporting.viewer.test_embed import COLOURS, HOSTILE, TASK, Elements, settings_of
from tumorseg.reporting.viewer.embed import NIIVUE_VERSION, EmbeddedViewer, ViewerCase, link_viewer, niivue_script
from tumorseg.task import Task

CASES = [ViewerCase("a", "a", "WT 1.0 ml", "viewer/a.js"), ViewerCase(HOSTILE, HOSTILE, HOSTILE, "viewer/b.js")]


def linked(task: Task = TASK) -> EmbeddedViewer:
    return link_viewer(CASES, COLOURS, task, niivue="viewer/niivue.js", fallback="See the pictures.")


def test_each_patient_has_its_script_and_text_and_no_name_is_markup():
    options = Elements(linked().markup).all("option")[:2]
    assert [text.strip() for _, text in options] == ["a", HOSTILE]
    assert [(option["value"], option["data-script"], option["data-text"]) for option, _ in options] == [
        ("a", "viewer/a.js", "WT 1.0 ml"),
        (HOSTILE, "viewer/b.js", HOSTILE),
    ]


def test_the_page_contains_neither_niivue_nor_volumes():
    parts = linked()
    assert len(parts.scripts) + len(parts.markup) + len(parts.style) < 50_000
    settings = settings_of(parts)
    assert settings["niivue"] == "viewer/niivue.js"
    assert settings["cases"] == ["a", HOSTILE]
    assert json.dumps(HOSTILE) not in parts.scripts


def test_the_main_images_of_the_task_are_side_by_side():
    elements = Elements(linked().markup)
    choices = [found.get("data-choice") for found, _ in elements.all("div") if found.get("class") == "viewer-picture"]
    assert choices == ["viewer-image-1", "viewer-image-2", "", "", None]
    selected = [attributes["value"] for attributes, _ in elements.all("option") if "selected" in attributes]
    assert selected == ["t1ce", "flair"]


def test_a_task_with_one_main_image_has_one_picture():
    channels = tuple(replace(channel, beside=False) for channel in TASK.channels)
    task = Task(**{name: getattr(TASK, name) for name in TASK.__dataclass_fields__} | {"channels": channels})
    elements = Elements(linked(task).markup)
    choices = [found.get("data-choice") for found, _ in elements.all("div") if found.get("class") == "viewer-picture"]
    assert choices == ["viewer-image-1", "", "", "", None]
    assert [attributes["value"] for attributes, _ in elements.all("option") if "selected" in attributes] == ["flair"]


def test_only_outlines_are_shown_at_first():
    sliders = [attributes for attributes, _ in Elements(linked().markup).all("input") if attributes["type"] == "range"]
    assert (sliders[0]["id"], sliders[0]["value"]) == ("viewer-opacity", "0")


def test_every_control_has_a_label():
    elements = Elements(linked().markup)
    labelled = {attributes.get("for") for attributes, _ in elements.all("label")}
    controls = [attributes for tag in ("select", "input") for attributes, _ in elements.all(tag)]
    assert len(controls) == 10
    assert all(control["id"] in labelled for control in controls if control.get("type") != "checkbox")


@pytest.mark.parametrize("part", ["/*", f"@niivue/niivue {NIIVUE_VERSION}", "*/"])
def test_niivue_is_written_with_its_licence(part):
    assert niivue_script().count(part) >= 1
    assert niivue_script().startswith("/*\n")
