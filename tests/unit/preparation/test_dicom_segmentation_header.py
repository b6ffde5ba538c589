"""What the header of a DICOM Segmentation object says, and what it does not say."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
import yaml
from highdicom import _standard_utils as standard
from highdicom.color import CIELabColor
from pydicom.sr.codedict import codes

import tumorseg
from tests.support.builders import REPOSITORY, TASK
from tests.support.dicom import T1CE
from tests.support.dicom_segmentations import MODELS, Marked, marked_series, write_segmentation
from tumorseg.preparation.dicom_codes import ALGORITHM_FAMILY, BRAIN, CATEGORY, PROPERTY_TYPES
from tumorseg.preparation.dicom_segmentation import SegmentingModels

PERSON = {
    "PatientName": "Größe^Test",
    "PatientBirthDate": "19000101",
    "PatientSex": "O",
    "SpecificCharacterSet": "ISO_IR 100",
}
"""What an object of the study must repeat."""
SECRETS = {
    "PatientAddress": "SECRET",
    "PatientComments": "SECRET",
    "AdditionalPatientHistory": "SECRET",
    "PatientAge": "099Y",
    "InstitutionName": "SECRET",
    "StationName": "SECRET",
    "OperatorsName": "SECRET",
    "StudyDescription": "SECRET",
    "ProtocolName": "SECRET",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the series of a patient with a full header, and the segmentation of its mask."""
    folder = tmp_path_factory.mktemp("segmentation")
    series = marked_series(folder, header=replace(T1CE, other=PERSON | SECRETS))
    write_segmentation(folder / "seg.dcm", series)
    return series, pydicom.dcmread(folder / "seg.dcm")


def test_every_element_that_the_standard_demands_is_there(written):
    _, dataset = written
    modules = standard.get_iod_module_map()["segmentation"]
    attributes = standard.get_module_attribute_map()
    for module in (each["key"] for each in modules if each["usage"] == "M"):
        for attribute in attributes[module]:
            if not attribute["path"] and attribute["type"] in {"1", "2"}:
                assert attribute["keyword"] in dataset, (module, attribute)
                assert attribute["type"] == "2" or not dataset[attribute["keyword"]].is_empty


def test_it_belongs_to_the_study_and_space_of_the_source(written):
    series, dataset = written
    source = pydicom.dcmread(series.files[0])
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "StudyDate", *PERSON):
        if keyword != "SpecificCharacterSet":
            assert dataset[keyword].value == source[keyword].value
    assert dataset.SeriesInstanceUID != source.SeriesInstanceUID
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
    references = dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {each.ReferencedSOPInstanceUID for each in references} == {
        pydicom.dcmread(file).SOPInstanceUID for file in series.files
    }


def test_nothing_else_about_patient_or_hospital_is_copied(written):
    _, dataset = written
    assert "SECRET" not in str(dataset)
    assert "099Y" not in str(dataset)


def test_research_use_and_the_notice_of_the_model_are_said(written):
    _, dataset = written
    assert dataset.ContentQualification == "RESEARCH"
    assert "Research use only" in dataset.SeriesDescription
    assert MODELS.notices[0] in dataset.ImageComments
    assert all("Research use only" in segment.SegmentDescription for segment in dataset.SegmentSequence)


def test_each_segment_has_title_code_colour_and_algorithm(written):
    _, dataset = written
    assert [segment.SegmentLabel for segment in dataset.SegmentSequence] == [label.title for label in TASK.labels]
    for segment, label in zip(dataset.SegmentSequence, TASK.labels, strict=True):
        code = segment.SegmentedPropertyTypeCodeSequence[0]
        assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == PROPERTY_TYPES[label.meaning]
        colour = CIELabColor.from_dicom_value(tuple(segment.RecommendedDisplayCIELabValue)).to_rgb()
        assert np.abs(np.array(colour) - list(bytes.fromhex(label.colour[1:]))).max() <= 1
        algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert algorithm.AlgorithmVersion == tumorseg.__version__
        assert MODELS.digests["starter"] in algorithm.AlgorithmParameters


def test_codes_and_their_names_are_those_of_the_standard():
    lists = [codes.cid7150, codes.cid4, codes.cid7162, codes.cid7159]
    known = {tuple(code[:3]) for names in lists for code in (getattr(names, name) for name in names.dir())}
    assert {CATEGORY, BRAIN, ALGORITHM_FAMILY, *PROPERTY_TYPES.values()} <= known


def test_every_meaning_of_a_label_has_a_code():
    schema = yaml.safe_load((REPOSITORY / "scripts/tumorseg/schemas/task.schema.yaml").read_text())
    label = schema["properties"]["labels"]["additionalProperties"]
    assert set(label["properties"]["meaning"]["enum"]) == set(PROPERTY_TYPES)


def test_a_label_without_voxels_has_no_segment_and_is_named(tmp_path):
    series = marked_series(tmp_path, labels=(0, 1, 4))
    assert write_segmentation(tmp_path / "seg.dcm", series) == (1, 4)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    assert [segment.SegmentNumber for segment in dataset.SegmentSequence] == [1, 2]
    assert "Not found, therefore without a segment: oedema." in dataset.ImageComments


def test_a_mask_without_labels_gives_no_file(tmp_path):
    series = marked_series(tmp_path)
    write_segmentation(tmp_path / "seg.dcm", series)
    empty = series.mask._replace(voxels=np.zeros_like(series.mask.voxels))
    assert write_segmentation(tmp_path / "seg.dcm", Marked(series.files, empty)) == ()
    assert not (tmp_path / "seg.dcm").exists()


def test_equal_input_gives_equal_bytes_and_another_mask_another_identity(tmp_path):
    series = marked_series(tmp_path)
    for name in ("one.dcm", "two.dcm"):
        write_segmentation(tmp_path / name, series)
    assert (tmp_path / "one.dcm").read_bytes() == (tmp_path / "two.dcm").read_bytes()
    changed = series.mask.voxels.copy()
    changed[0, 0, 0] = 0 if changed[0, 0, 0] else 1
    write_segmentation(tmp_path / "two.dcm", Marked(series.files, series.mask._replace(voxels=changed)))
    one, two = (pydicom.dcmread(tmp_path / name) for name in ("one.dcm", "two.dcm"))
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SeriesInstanceUID != two.SeriesInstanceUID


def test_long_and_unusual_texts_fit_the_standard(tmp_path):
    labels = tuple(replace(label, title="ö\\" * 60) for label in TASK.labels)
    task = replace(TASK, labels=labels)
    models = SegmentingModels({f"model-{number}.safetensors": "cd" * 32 for number in range(9)})
    write_segmentation(tmp_path / "seg.dcm", marked_series(tmp_path), task=task, models=models)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    assert dataset.SegmentSequence[0].SegmentLabel == "ö/" * 32
    assert len(dataset.ManufacturerModelName) <= 64


def test_a_value_that_is_no_label_is_an_error(tmp_path):
    series = marked_series(tmp_path, labels=(0, 3))
    with pytest.raises(ValueError, match="3 is not a label"):
        write_segmentation(tmp_path / "seg.dcm", series)
