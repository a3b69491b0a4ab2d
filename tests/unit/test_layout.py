"""The rule for folders, on many layouts, by names alone: whose each photo is, what is left out, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from facelab.gallery import normal_name
from facelab.layout import FILES, Entry, Layout, examples, read_layout, sift
from facelab.names import is_class, is_full_name, is_system, is_term, name_in_file, natural

ZOE, ZOE_DECOMPOSED = "Zo\u00eb", "Zoe\u0308"


def entries_of(paths: Sequence[str]) -> list[Entry]:
    """A path with “/” at its end is a folder’s; one with “!” at its end cannot be opened."""
    return [
        Entry(path.rstrip("/!"), folder=path.endswith("/"), trouble="it cannot be opened" if path.endswith("!") else None)
        for path in paths
    ]


def read(paths: Sequence[str], people_at: int | None = None, called: str = "") -> Layout:
    return read_layout(entries_of(paths), people_at, called)


def people(paths: Sequence[str], people_at: int | None = None, called: str = "") -> dict[str, list[str]]:
    layout = read(paths, people_at, called)
    assert layout.question is None, layout.question
    return {name: [paths[i] for i in photos] for name, photos in layout.people.items()}


def left_out(paths: Sequence[str], people_at: int | None = None) -> dict[str, str]:
    return {paths[i]: reason for i, reason in read(paths, people_at).left_out}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(["class/Anna/1.jpg", "class/Ben/IMG_2.jpg"], {"Anna": 1, "Ben": 1}, id="a folder each"),
        pytest.param(["Anna/1.jpg", "Ben/2.jpg"], {"Anna": 1, "Ben": 1}, id="several folders dropped at once"),
        pytest.param(["class/Anna/1.jpg"], {"Anna": 1}, id="a class of one"),
        pytest.param(["class/s01/1.png", "class/s02/1.png"], {"s01": 1, "s02": 1}, id="numbers for names"),
        pytest.param(["class/pupil 1/1.png", "class/pupil 2/1.png"], {"pupil 1": 1, "pupil 2": 1}, id="numbered"),
        pytest.param(["class/01/1.png", "class/02/1.png"], {"01": 1, "02": 1}, id="numbers alone"),
        pytest.param(["lfw/Tony_Blair/Tony_Blair_0004.jpg", "lfw/Ana_Guevara/Ana_Guevara_0001.jpg"],
                     {"Ana_Guevara": 1, "Tony_Blair": 1}, id="photos named after their folders"),
        pytest.param(["class/Anna/autumn/1.jpg", "class/Anna/spring/2.jpg", "class/Ben/autumn/3.jpg"],
                     {"Anna": 2, "Ben": 1}, id="terms"),
        pytest.param(["class/Anna/2024/1.jpg", "class/Ben/2025-03-02/3.jpg"], {"Anna": 1, "Ben": 1}, id="years and dates"),
        pytest.param(["class/Anna/1.jpg", "class/Anna/old phone/2.jpg", "class/Ben/3.jpg"],
                     {"Anna": 2, "Ben": 1}, id="some deeper"),
        pytest.param(["class/Anna/a/b/c/1.jpg", "class/Ben/3.jpg"], {"Anna": 1, "Ben": 1}, id="much deeper"),
        pytest.param(["class/Anna/autumn/1.jpg"], {"Anna": 1}, id="a class of one with a term"),
        pytest.param([f"c/{name}/{term}/1.jpg" for name in ("Ann", "Bo", "Cy", "Di", "Ed") for term in ("Herbst", "Lenz")],
                     {"Ann": 2, "Bo": 2, "Cy": 2, "Di": 2, "Ed": 2}, id="unknown words that come again in each folder"),
        pytest.param(["school/7b/Anna/1.jpg", "school/7b/Ben/2.jpg"], {"Anna": 1, "Ben": 1}, id="one level too many"),
        pytest.param(["a/b/c/Anna/1.jpg", "a/b/c/Ben/2.jpg"], {"Anna": 1, "Ben": 1}, id="three levels too many"),
        pytest.param(["school/7a/Anna/1.jpg", "school/7b/Ben/2.jpg"], {"Anna": 1, "Ben": 1}, id="two classes"),
        pytest.param(["school/red group/Anna/1.jpg", "school/blue group/Ben/2.jpg"], {"Anna": 1, "Ben": 1}, id="two groups"),
        pytest.param(["school/Oak/Anna Meyer/1.jpg", "school/Elm/Ben Okafor/2.jpg"],
                     {"Anna Meyer": 1, "Ben Okafor": 1}, id="full names in folders without"),
        pytest.param(["data/train/Anna/1.jpg", "data/train/Ben/1.jpg", "data/test/Anna/2.jpg"],
                     {"Anna": 2, "Ben": 1}, id="terms around the people"),
        pytest.param(["flat/Anna Meyer.jpg", "flat/Ben_Okafor 2.jpg", "flat/Ben_Okafor.png"],
                     {"Anna Meyer": 1, "Ben Okafor": 2}, id="a file each"),
        pytest.param(["Anna.jpg", "Ben.jpg", "Ben (2).jpg"], {"Anna": 1, "Ben": 2}, id="a file each, dropped without a folder"),
        pytest.param(["7b/Anna.jpg", "7b/Ben.jpg"], {"Anna": 1, "Ben": 1}, id="a file each in a class"),
        pytest.param(["pupils/obama.jpg", "pupils/obama2.jpg", "pupils/biden.jpg"], {"biden": 1, "obama": 2}, id="small letters"),
        pytest.param(["school/7a/Anna.jpg", "school/7b/Ben.jpg"], {"Anna": 1, "Ben": 1}, id="a file each in two classes"),
        pytest.param(["class/portraits/Anna.jpg", "class/portraits/Ben.jpg"], {"Anna": 1, "Ben": 1}, id="a file each, deeper"),
        pytest.param(["Anna/anna1.jpg", "Anna/anna 2.jpg"], {"Anna": 2}, id="one person, named twice"),
        pytest.param(["class/Anna/1.jpg", "class/Ben/2.jpg", "class/Cleo.jpg", "class/Ben (2).jpg"],
                     {"Anna": 1, "Ben": 2, "Cleo": 1}, id="files beside folders"),
        pytest.param(["class/Ben_Okafor/2.jpg", "class/Anna/1.jpg", "class/Ben_Okafor 2.jpg"],
                     {"Anna": 1, "Ben_Okafor": 2}, id="a file of the folder beside it"),
    ],
)  # fmt: skip
def test_people_are_known_by_their_names(paths: list[str], expected: dict[str, int]) -> None:
    assert {name: len(photos) for name, photos in people(paths).items()} == expected
    assert left_out(paths) == {}


@pytest.mark.parametrize(
    ("paths", "question", "answers"),
    [
        pytest.param(["school/Oak/Anna/1.jpg", "school/Oak/Ben/2.jpg", "school/Elm/Cleo/3.jpg"],
                     "Is ‘Elm’ a person, or a class?",
                     {1: {"Elm": 1, "Oak": 2}, 2: {"Anna": 1, "Ben": 1, "Cleo": 1}}, id="classes or people"),
        pytest.param(["c/Anna/Rome/1.jpg", "c/Anna/Paris/2.jpg", "c/Ben/Rome/3.jpg", "c/Ben/Paris/4.jpg"],
                     "Is ‘Anna’ a person, or a class?",
                     {1: {"Anna": 2, "Ben": 2}}, id="names that come again, but not often"),
        pytest.param(["school/7a/autumn/1.jpg", "school/7b/autumn/2.jpg"],
                     "Is ‘7a’ a person, or a class?", {1: {"7a": 1, "7b": 1}}, id="terms of classes"),
        pytest.param(["Anna/autumn/1.jpg", "Anna/spring/2.jpg"],
                     "Is ‘Anna’ one person, or are ‘autumn’ and ‘spring’?",
                     {0: {"Anna": 2}, 1: {"autumn": 1, "spring": 1}}, id="one person with terms, or two girls"),
        pytest.param(["Anna/IMG_1.jpg", "Anna/Rome/IMG_2.jpg"],
                     "Is ‘Anna’ one person, or is ‘Rome’?", {0: {"Anna": 2}, 1: {"Rome": 1}}, id="one person, or one inside"),
        pytest.param(["flat/IMG_1.jpg", "flat/IMG_2.jpg"],
                     "Are these 2 photos all of one person called ‘flat’?", {0: {"flat": 2}}, id="a heap"),
        pytest.param(["Maple/IMG_1.jpg"], "Is this a photo of one person called ‘Maple’?", {0: {"Maple": 1}}, id="a heap of one"),
        pytest.param(["DCIM/100APPLE/IMG_1.jpg"], "Is this a photo of one person called ‘100APPLE’?",
                     {1: {"100APPLE": 1}}, id="a camera’s own folders"),
        pytest.param(["Anna/Rome.jpg", "Anna/Paris.jpg"],
                     "Are these 2 photos all of one person called ‘Anna’?",
                     {0: {"Anna": 2}, FILES: {"Paris": 1, "Rome": 1}}, id="people or places"),
        pytest.param(["7b/Anna.jpg", "7b/Ben.jpg", "7b/IMG_1.jpg"],
                     "Are these 3 photos all of one person called ‘7b’?",
                     {0: {"7b": 3}, FILES: {"Anna": 1, "Ben": 1}}, id="a heap in which most have names"),
        pytest.param(["Anna/autumn.jpg", "Anna/spring.jpg"],
                     "Are these 2 photos all of one person called ‘Anna’?",
                     {0: {"Anna": 2}, FILES: {"autumn": 1, "spring": 1}}, id="terms as names of files"),
        pytest.param(["7a/IMG_1.jpg", "7b/IMG_2.jpg"], "Are ‘7a’ and ‘7b’ people?", {0: {"7a": 1, "7b": 1}}, id="heaps of classes"),
        pytest.param(["IMG_1.jpg", "IMG_2.jpg"], "Whose photos are these?", {}, id="loose files"),
        pytest.param(["unnamed"], "Whose photo is this?", {}, id="a loose file of no type"),
    ],
)  # fmt: skip
def test_what_is_unclear_is_asked(paths: list[str], question: str, answers: dict[int, dict[str, int]]) -> None:
    """Nobody is enrolled before there is an answer; each answer that is offered means what it says."""
    layout = read(paths)
    assert layout.people == {}
    assert layout.question is not None
    assert layout.question.words == question
    assert layout.question.answers.keys() >= answers.keys()
    for people_at, expected in answers.items():
        assert {name: len(photos) for name, photos in people(paths, people_at).items()} == expected


def test_question_names_examples() -> None:
    layout = read(
        [f"school/{house}/{name}/1.jpg" for house, name in [("Oak", "Anna"), ("Elm", "Ben"), ("Elm", "Cleo"), ("Oak", "Di")]]
    )
    assert layout.question is not None
    assert layout.question.answers == {1: "A person, as is ‘Oak’", 2: "A class, with ‘Ben’, ‘Cleo’ and 2 more in it"}


def test_typed_name_is_for_photos_that_were_given_without_a_folder() -> None:
    assert people(["IMG_1.jpg", "b"], called=f" {ZOE_DECOMPOSED} ") == {ZOE: ["b", "IMG_1.jpg"]}
    assert people(["c/Anna/1.jpg", "c/Ben/1.jpg"], called=ZOE).keys() == {"Anna", "Ben"}
    assert read(["flat/IMG_1.jpg", "flat/IMG_2.jpg"], called=ZOE).question is not None


@pytest.mark.parametrize(
    "own",
    [
        "class/.Trash/1.jpg", "class/Anna/@eaDir/SYNO.jpg", "class/__MACOSX/Anna/._1.jpg", "class/._1.jpg", ".DS_Store",
        "class/Anna/.thumbnails/1.jpg", "class/$RECYCLE.BIN/1.jpg", "class/System Volume Information/", "class/lost+found/",
        "class/Thumbs.db", "class/Anna/desktop.ini", "class/.git/", "class/node_modules/x/logo.png", "class/~$list.docx",
        "class/Previews.lrdata/1.jpg", "class/Anna/1.jpg.part", "class/Anna/IMG_1.AAE", "class/Thumbnails/1.jpg",
        "class/#recycle/1.jpg", "class/Icon\r",
    ],
)  # fmt: skip
def test_what_is_the_systems_own_is_nobody_and_said_in_one_line(own: str) -> None:
    paths = ["class/Anna/1.jpg", "class/Ben/1.jpg", own]
    layout = read(paths)
    assert layout.people == {"Anna": [0], "Ben": [1]}
    assert (layout.left_out, layout.empty) == ([], [])
    assert layout.system is not None
    assert layout.system.startswith("one file or folder of the system’s own")


def test_the_systems_own_is_counted_once_a_folder() -> None:
    system = sift(entries_of([".Trash/1.jpg", ".Trash/2.jpg", "c/@eaDir/1.jpg", "c/d/@eaDir/1.jpg", "Thumbs.db"])).system
    assert system == "4 files and folders of the system’s own (‘.Trash’, ‘@eaDir’ and ‘Thumbs.db’)"
    assert sift(entries_of(["c/1.jpg"])).system is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("class/Anna/clip.MOV", "a video"),
        ("class/Anna/IMG_1.CR2", "a camera’s raw file: save it as JPEG"),
        ("class/list.xlsx", "a document"),
        ("class/photos.zip", "an archive: unpack it first"),
        ("class/Anna/logo.svg", "a drawing: save it as PNG"),
        ("class/Anna/1", "no photo: JPEG, PNG and WebP files are read"),
        ("class/Anna/1.xyz", "no photo: JPEG, PNG and WebP files are read"),
        ("class/Cleo!", "it cannot be opened"),
        ("class/IMG_1.jpg", "it lies beside the people’s folders: move it into one, or name it after its person"),
    ],
)
def test_what_is_left_out_is_listed_with_the_reason(path: str, reason: str) -> None:
    assert left_out(["class/Anna/1.jpg", "class/Ben/2.heic", path]) == {path: reason}


def test_photos_above_the_people_and_without_names_are_left_out() -> None:
    paths = ["school/1.jpg", "school/7a/Anna/1.jpg", "school/8a/", "school/7a/IMG_2.jpg"]
    assert left_out(paths, 2) == {
        "school/1.jpg": "it lies above the people’s folders: move it into one",
        "school/7a/IMG_2.jpg": "it lies beside the people’s folders: move it into one, or name it after its person",
        "school/8a/": "no photos in it",
    }
    assert left_out(["c/Anna.jpg", "c/IMG_1.jpg"], FILES) == {"c/IMG_1.jpg": "its name is no person’s"}


def test_people_without_a_photo_are_named() -> None:
    layout = read(["class/Anna/1.jpg", "class/Ben/1.jpg", "class/Carl/", "class/Dora/clip.mov", "class/Eve/old/"])
    assert layout.empty == ["Carl", "Dora", "Eve"]


def test_folder_without_photos_has_no_people_and_no_question() -> None:
    for paths in ([], ["class/"], ["class/clip.mov"], ["class/Anna/", "class/Ben/"]):
        layout = read(paths)
        assert (layout.people, layout.question) == ({}, None)


def test_names_that_differ_only_in_form_are_one_person_and_it_is_said() -> None:
    layout = read([f"c/{ZOE}/1.jpg", f"c/{ZOE_DECOMPOSED}/2.jpg", "c/ Anna/1.jpg", "c/Anna/2.jpg", "c/Ben/1.jpg"])
    assert {name: len(photos) for name, photos in layout.people.items()} == {"Anna": 2, ZOE: 2, "Ben": 1}
    assert [f"named {name}," in note for name, note in zip(("Anna", ZOE), sorted(layout.notes), strict=True)] == [True, True]


def test_two_people_of_one_name_in_two_classes_are_kept_apart_and_it_is_said() -> None:
    layout = read(["s/7a/Anna/1.jpg", "s/7b/Anna/1.jpg", "s/7b/Ben/1.jpg"])
    assert layout.people.keys() == {"Anna (7a)", "Anna (7b)", "Ben"}
    assert layout.notes == ["more than one person is called ‘Anna’: they are kept apart as ‘Anna (7a)’ and ‘Anna (7b)’"]
    nested = read(["s/x/1/Anna/1.jpg", "s/y/1/Anna/1.jpg"], people_at=3)
    assert nested.people.keys() == {"Anna (s/x/1)", "Anna (s/y/1)"}


def test_people_and_their_photos_come_in_the_order_in_which_people_count() -> None:
    paths = [f"c/pupil {number}/{photo}.jpg" for number in (10, 2, 1) for photo in ("a 10", "a 9", "a")]
    assert list(people(paths)) == ["pupil 1", "pupil 2", "pupil 10"]
    assert people(paths)["pupil 2"] == ["c/pupil 2/a.jpg", "c/pupil 2/a 9.jpg", "c/pupil 2/a 10.jpg"]
    assert sorted(["b2.jpg", "B10.jpg", "b.jpg"], key=natural) == ["b.jpg", "b2.jpg", "B10.jpg"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Anna Meyer.jpg", "Anna Meyer"), ("Ben_Okafor 2.jpg", "Ben Okafor"), ("Ben_Okafor_0002.JPEG", "Ben Okafor"),
        ("Anna (2).png", "Anna"), ("Anna-2.jpg", "Anna"), ("Anna - Copy (3).jpg", "Anna"), ("anna1.jpg", "anna"),
        ("Anna.jpg.png", "Anna"), ("Meyer, Anna.jpg", "Meyer, Anna"), ("Sinéad O’Connor.jpg", "Sinéad O’Connor"),
        ("Anna-Lena.jpg", "Anna-Lena"), ("J. R. Smith.jpg", "J. R. Smith"), ("李小龍.jpg", "李小龍"), ("李.jpg", "李"),
        ("प्रिया शर्मा.jpg", "प्रिया शर्मा"), (f"{ZOE_DECOMPOSED}.jpg", ZOE), ("Sam.jpg", "Sam"), ("An Nguyen.jpg", "An Nguyen"),
        ("April.jpg", "April"),
        ("IMG_1234.jpg", None), ("DSC0001.JPG", None), ("_DSC0001.JPG", None), ("SAM_0001.JPG", None), ("P1010001.JPG", None),
        ("PXL_20240501_101010.jpg", None), ("IMG-20240501-WA0003.jpg", None), ("WhatsApp Image 2024-05-01 at 10.10.jpeg", None),
        ("Screenshot 2024-05-01.png", None), ("20240501_101010.jpg", None), ("2024-05-01.jpg", None), ("photo 1.jpg", None),
        ("123e4567-e89b-12d3-a456-426614174000.jpg", None), ("a.jpg", None), ("1.jpg", None), ("Unnamed.jpg", None),
        ("class photo.jpg", None), ("Anna and Ben.jpg", None), ("the whole class.jpg", None), ("copy.jpg", None),
    ],
)  # fmt: skip
def test_names_of_people_are_told_from_names_that_cameras_give(file: str, name: str | None) -> None:
    assert name_in_file(file) == name


@pytest.mark.timeout(2)
def test_long_names_take_no_longer() -> None:
    for odd in ("1" * 250 + "x", "_" * 250 + "x", " copy" * 50 + "x", "(1)" * 80 + "x", "a1" * 120 + "x", "." * 250):
        assert name_in_file(f"{odd} 2.jpg") == name_in_file(f"{odd}.jpg")


def test_what_folders_are_named_after() -> None:
    assert all(map(is_term, ["autumn", "Autumn 2025", "2024", "2024-05-03", "term 1", "with glasses", "Portraits", "new photos"]))
    assert not any(map(is_term, ["Anna", "7b", "s01", "01", "Anna 2024", ""]))
    assert all(map(is_class, ["7b", "10 C", "Year 9", "class 3", "red group", "Klasse 4"]))
    assert not any(map(is_class, ["Anna", "s01", "01", "1001", "autumn"]))
    assert all(map(is_full_name, ["Anna Meyer", "Ben_Okafor", "Meyer, Anna"]))
    assert not any(map(is_full_name, ["Anna", "my pupils", "anna meyer", "Class 7", "Anna 2"]))
    assert not any(map(is_system, ["Anna", "Thumbelina", "Trash", "Dora.jpg"]))


def test_names_are_kept_in_one_form() -> None:
    assert normal_name(f"  {ZOE_DECOMPOSED}\t Q ") == f"{ZOE} Q"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a"], "‘a’"),
        (["a", "b"], "‘a’ and ‘b’"),
        (["a", "b", "c"], "‘a’, ‘b’ and ‘c’"),
        (["a", "b", "a", "c", "d"], "‘a’, ‘b’ and 2 more"),
    ],
)
def test_examples_are_few(names: list[str], sentence: str) -> None:
    assert examples(names) == sentence
