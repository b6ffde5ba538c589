"""Courses of a patient with spheres of enhancing tumour."""

import re

import numpy as np

from tests.support.builders import TASK
from tests.support.shapes import ellipsoid, grid
from tumorseg.clinical.course import find_courses
from tumorseg.clinical.measures import ClinicalMeasures, measure_mask
from tumorseg.cohort.patients import patients_from_names

SHAPE = (40, 40, 40)
DATES = {"P1_visit1": "2024-01-01", "P1_visit2": "2024-02-01", "P1_visit3": "2024-03-01"}
VERDICTS = re.compile(r"progress|respon|stable|recurr|pseudo|remission|\b(?:CR|PR|SD|PD)\b", re.IGNORECASE)
"""Words that no table, page or figure about a course contains."""


def sphere(diameter_mm: float, spacing_mm=1.0) -> ClinicalMeasures:
    affine = grid([spacing_mm] * 3, SHAPE)
    mask = np.zeros(SHAPE, np.uint8)
    mask[ellipsoid([diameter_mm] * 3, affine, SHAPE)] = 4
    return measure_mask(mask, affine, TASK)


def course(diameters_mm, dates=None):
    """Return the course of a patient with spheres; None stands for a case without a mask."""
    measures = {
        f"P1_visit{number}": None if diameter is None else sphere(diameter)
        for number, diameter in enumerate(diameters_mm, 1)
    }
    (found,) = find_courses(measures, patients_from_names(measures), dates)
    return found
