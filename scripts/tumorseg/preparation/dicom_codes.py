"""Coded names of the labels of masks, for DICOM Segmentation objects."""

from typing import Final, NamedTuple

from tumorseg.errors import Message


class DicomCode(NamedTuple):
    """A code of a terminology that DICOM uses.

    Attributes:
        value: the code.
        scheme: designator of the terminology: SCT (SNOMED CT), DCM (DICOM) or NCIt (NCI Thesaurus).
        meaning: its name in that terminology.
    """

    value: str
    scheme: str
    meaning: Message


CATEGORY: Final = DicomCode("49755003", "SCT", "Morphologically Abnormal Structure")
"""The category of all segments, from CID 7150 (segmentation property categories)."""
BRAIN: Final = DicomCode("12738006", "SCT", "Brain")
"""The anatomic region of all segments, from CID 4 (anatomic regions)."""
ALGORITHM_FAMILY: Final = DicomCode("123110", "DCM", "Artificial Intelligence")
"""The family of the algorithm, from CID 7162 (surface processing and segmentation algorithm families)."""

LESION: Final = DicomCode("52988006", "SCT", "Lesion")
"""For labels whose meaning has no code. A code must not claim more than is known; the segment's label has the title."""

PROPERTY_TYPES: Final[dict[str, DicomCode]] = {
    # In all data sets this label is the whole non-enhancing core, necrotic or solid. The code for necrosis (6574001,
    # SCT) would claim that no solid tumour is in it.
    "necrosis": DicomCode("C81175", "NCIt", "Non-Enhancing Lesion"),
    "oedema": DicomCode("79654002", "SCT", "Edema"),
    "enhancing": DicomCode("C113842", "NCIt", "Enhancing Lesion"),
    "cavity": LESION,  # DICOM's lists have no resection cavity
    "cyst": DicomCode("367643001", "SCT", "Cyst"),
    "tumour": DicomCode("108369006", "SCT", "Neoplasm"),
    "other": LESION,
}
"""The code of each meaning of a label (`Label.meaning`).

References:
    DICOM PS3.16, CID 7159 (lesion segmentation types) and CID 7169 (brain lesion segmentation types without necrosis),
    https://dicom.nema.org/medical/dicom/current/output/chtml/part16/sect_CID_7169.html
"""
