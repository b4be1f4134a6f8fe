"""The script behind the guide's pictures: it draws what it is asked for, and its pictures are today's labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.print_samples import main
from wms.printing import TEMPLATES

PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "labels"


def test_it_draws_one_picture_of_every_label(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert {file.stem for file in tmp_path.iterdir()} == set(TEMPLATES)


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.png")), ids=lambda picture: picture.stem)
def test_the_guides_pictures_are_todays_labels(picture: Path, tmp_path: Path) -> None:
    main([str(tmp_path), "--only", picture.stem])
    assert (tmp_path / picture.name).read_bytes() == picture.read_bytes()
