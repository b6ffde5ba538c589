"""The publications that the methods section of the report cites."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reference:
    """A publication.

    Attributes:
        key: key in BibTeX.
        kind: type of the BibTeX entry.
        authors: authors, separated by ` and `, as in BibTeX.
        title: title.
        venue: journal, proceedings or publisher.
        year: year of publication.
        link: DOI, or `arXiv:` and the identifier.
    """

    key: str
    kind: str
    authors: str
    title: str
    venue: str
    year: int
    link: str

    def bibtex(self) -> str:
        """Return the entry of a BibTeX file."""
        venue = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}[self.kind]
        link = ("eprint", self.link.removeprefix("arXiv:")) if self.link.startswith("arXiv:") else ("doi", self.link)
        fields = {"author": self.authors, "title": f"{{{self.title}}}", venue: self.venue, "year": str(self.year)}
        lines = [f"  {name} = {{{value}}}," for name, value in (*fields.items(), link)]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


_ENTRIES: Final = (
    Reference(
        "molder2021",
        "article",
        "Mölder, Felix and Jablonski, Kim Philipp and Letcher, Brice and others",
        "Sustainable data analysis with Snakemake",
        "F1000Research",
        2021,
        "10.12688/f1000research.29032.2",
    ),
    Reference(
        "paszke2019",
        "inproceedings",
        "Paszke, Adam and Gross, Sam and Massa, Francisco and others",
        "PyTorch: An Imperative Style, High-Performance Deep Learning Library",
        "Advances in Neural Information Processing Systems 32",
        2019,
        "arXiv:1912.01703",
    ),
    Reference(
        "cicek2016",
        "inproceedings",
        "Çiçek, Özgün and Abdulkadir, Ahmed and Lienkamp, Soeren S. and Brox, Thomas and Ronneberger, Olaf",
        "3D U-Net: Learning Dense Volumetric Segmentation from Sparse Annotation",
        "Medical Image Computing and Computer-Assisted Intervention (MICCAI)",
        2016,
        "10.1007/978-3-319-46723-8_49",
    ),
    Reference(
        "he2016",
        "inproceedings",
        "He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian",
        "Deep Residual Learning for Image Recognition",
        "IEEE Conference on Computer Vision and Pattern Recognition (CVPR)",
        2016,
        "10.1109/CVPR.2016.90",
    ),
    Reference(
        "ioffe2015",
        "inproceedings",
        "Ioffe, Sergey and Szegedy, Christian",
        "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
        "International Conference on Machine Learning (ICML)",
        2015,
        "arXiv:1502.03167",
    ),
    Reference(
        "ulyanov2016",
        "article",
        "Ulyanov, Dmitry and Vedaldi, Andrea and Lempitsky, Victor",
        "Instance Normalization: The Missing Ingredient for Fast Stylization",
        "arXiv",
        2016,
        "arXiv:1607.08022",
    ),
    Reference(
        "milletari2016",
        "inproceedings",
        "Milletari, Fausto and Navab, Nassir and Ahmadi, Seyed-Ahmad",
        "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation",
        "International Conference on 3D Vision (3DV)",
        2016,
        "10.1109/3DV.2016.79",
    ),
    Reference(
        "lee2015",
        "inproceedings",
        "Lee, Chen-Yu and Xie, Saining and Gallagher, Patrick and Zhang, Zhengyou and Tu, Zhuowen",
        "Deeply-Supervised Nets",
        "International Conference on Artificial Intelligence and Statistics (AISTATS)",
        2015,
        "arXiv:1409.5185",
    ),
    Reference(
        "kingma2015",
        "inproceedings",
        "Kingma, Diederik P. and Ba, Jimmy",
        "Adam: A Method for Stochastic Optimization",
        "International Conference on Learning Representations (ICLR)",
        2015,
        "arXiv:1412.6980",
    ),
    Reference(
        "loshchilov2019",
        "inproceedings",
        "Loshchilov, Ilya and Hutter, Frank",
        "Decoupled Weight Decay Regularization",
        "International Conference on Learning Representations (ICLR)",
        2019,
        "arXiv:1711.05101",
    ),
    Reference(
        "micikevicius2018",
        "inproceedings",
        "Micikevicius, Paulius and Narang, Sharan and Alben, Jonah and others",
        "Mixed Precision Training",
        "International Conference on Learning Representations (ICLR)",
        2018,
        "arXiv:1710.03740",
    ),
    Reference(
        "billot2023",
        "article",
        "Billot, Benjamin and Greve, Douglas N. and Puonti, Oula and others",
        "SynthSeg: Segmentation of brain MRI scans of any contrast and resolution without retraining",
        "Medical Image Analysis",
        2023,
        "10.1016/j.media.2023.102789",
    ),
    Reference(
        "isensee2021",
        "article",
        "Isensee, Fabian and Jaeger, Paul F. and Kohl, Simon A. A. and Petersen, Jens and Maier-Hein, Klaus H.",
        "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation",
        "Nature Methods",
        2021,
        "10.1038/s41592-020-01008-z",
    ),
    Reference(
        "yushkevich2016",
        "article",
        "Yushkevich, Paul A. and Pluta, John and Wang, Hongzhi and Wisse, Laura E. M. and Das, Sandhitsu and "
        "Wolk, David",
        "Fast Automatic Segmentation of Hippocampal Subfields and Medial Temporal Lobe Subregions in 3 Tesla and 7 "
        "Tesla T2-Weighted MRI",
        "Alzheimer's & Dementia",
        2016,
        "10.1016/j.jalz.2016.06.205",
    ),
    Reference(
        "fisch2024",
        "article",
        "Fisch, Lukas and Zumdick, Stefan and Barkhau, Carlotta and others",
        "deepbet: Fast brain extraction of T1-weighted MRI using Convolutional Neural Networks",
        "Computers in Biology and Medicine",
        2024,
        "10.1016/j.compbiomed.2024.108845",
    ),
    Reference(
        "fonov2011",
        "article",
        "Fonov, Vladimir and Evans, Alan C. and Botteron, Kelly and others",
        "Unbiased average age-appropriate atlases for pediatric studies",
        "NeuroImage",
        2011,
        "10.1016/j.neuroimage.2010.07.033",
    ),
    Reference(
        "dice1945",
        "article",
        "Dice, Lee R.",
        "Measures of the Amount of Ecologic Association Between Species",
        "Ecology",
        1945,
        "10.2307/1932409",
    ),
    Reference(
        "nikolov2021",
        "article",
        "Nikolov, Stanislav and Blackwell, Sam and Zverovitch, Alexei and others",
        "Clinically Applicable Segmentation of Head and Neck Anatomy for Radiotherapy: Deep Learning Algorithm "
        "Development and Validation Study",
        "Journal of Medical Internet Research",
        2021,
        "10.2196/26151",
    ),
    Reference(
        "kofler2023",
        "article",
        "Kofler, Florian and Möller, Hendrik and Buchner, Josef A. and others",
        "Panoptica – instance-wise evaluation of 3D semantic and instance segmentation maps",
        "arXiv",
        2023,
        "arXiv:2312.02608",
    ),
    Reference(
        "moawad2023",
        "article",
        "Moawad, Ahmed W. and Janas, Anastasia and Baid, Ujjwal and others",
        "The Brain Tumor Segmentation (BraTS-METS) Challenge 2023: Brain Metastasis Segmentation on Pre-treatment MRI",
        "arXiv",
        2023,
        "arXiv:2306.00838",
    ),
    Reference(
        "efron1993",
        "book",
        "Efron, Bradley and Tibshirani, Robert J.",
        "An Introduction to the Bootstrap",
        "Chapman & Hall",
        1993,
        "10.1201/9780429246593",
    ),
)
REFERENCES: Final = {reference.key: reference for reference in _ENTRIES}
"""The publications by their keys."""
