"""What the name of a file or folder reveals: a photo, something of the system's, a person's name, or nothing.

The page and the command line share this table. Only reading a file shows what is really in it (photos.py, demo/web/src/photos.ts).
"""

from __future__ import annotations

import re
import unicodedata

from .gallery import normal_name


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Endings of photo files. Which of them can be opened depends on the program: Safari opens HEIC, for example, and Pillow does not.
PHOTO_TYPES = _set("jpg jpeg jpe jfif png webp bmp gif tif tiff avif heic heif jxl")

_OTHER_TYPES = {
    "a video": _set("mp4 mov m4v avi mkv webm 3gp wmv mts mpg mpeg"),
    "a camera’s raw file: save it as JPEG": _set("raw cr2 cr3 crw nef nrw arw sr2 dng orf rw2 raf pef srw x3f"),
    "a drawing: save it as PNG": _set("svg psd ai eps xcf"),
    "a document": _set("pdf doc docx odt rtf txt md html htm xls xlsx ods csv json ppt pptx odp pages numbers key"),
    "an archive: unpack it first": _set("zip 7z rar tar gz"),
    "a sound": _set("mp3 m4a wav ogg flac aac"),
    "a shortcut: copy what it leads to": _set("lnk url webloc"),
}

# Files and folders that systems, synchronisers, photo programs and editors leave behind.
_SYSTEM_STARTS = (".", "@", "$", "~$", "#recycle", "#snapshot")
_SYSTEM_NAMES = _set("__macosx __pycache__ captureone lost+found node_modules recycled recycler thumbnails thumbs") | {
    "icon\r",
    "ipod photo cache",
    "network trash folder",
    "system volume information",
    "temporary items",
}
_SYSTEM_TYPES = _set("aae crdownload db ini lrcat lrcat-data lrdata lrprev part thm tmp xmp")

# Words in names given by cameras, phones and programs.
_CAMERA_WORDS = _set("""
    img dsc dscn dscf pict pxl mvimg gopr dji cimg burst dcim camera capture screenshot screen shot scan snapchat whatsapp signal
    received download unnamed untitled export frame file
""")
# Words in names that people give to things other than people: classes, and folders within a person's (times, occasions, kinds).
_THING_WORDS = _set("""
    photo photos foto fotos picture pictures pic pics image images portrait portraits headshot headshots selfie selfies avatar
    profile face faces sample samples people pupils students children kids subjects teachers staff album gallery all everybody
    everyone unknown nobody the of at and with without my our for from
""")
_ROLE_WORDS = _set("person pupil student subject teacher")  # these stand for a class's name only together with a number
_CLASS_WORDS = _set("class classes klasse year grade form group groups room team teams course section")
_TERM_WORDS = _set("""
    spring summer autumn fall winter january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec term semester trimester quarter week day morning afternoon evening
    photo photos picture pictures pics image images portrait portraits scans original originals edited edits raw jpeg jpg png
    selected best good new old older recent more other others misc front left right side frontal profile indoor indoors outdoor
    outdoors inside outside home school holiday holidays trip birthday christmas easter phone camera whatsapp glasses
    train training test val validation part set batch with without in at on the
""")

_WORD = re.compile(r"[^\W\d_]+")
_YEAR_OR_DATE = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)|\d{1,2}[-._]\d{1,2}[-._]\d{2,4}|(?<!\d)(19|20)\d{6}(?!\d)")
_CLASS = re.compile(r"\d{1,2}\s*[-./]?\s*[a-z]", re.IGNORECASE)
# The camera standard DCF names files and folders like this: IMG_0001, 100APPLE.
_CAMERA_FILE = re.compile(r"[A-Z_]{4}\d{4,}")
_CAMERA_FOLDER = re.compile(r"\d{3}[A-Z0-9_]{5}")
# “Anna 2”, “Anna (2)”, “Anna_02”, “Anna - Copy”
_COUNTER = re.compile(r"[\s_.-]*(?:\(\d{1,4}\)|(?<!\d)\d{1,4}|\b(?:copy|kopie))$", re.IGNORECASE)
_MOST_WORDS = 5


def ending_of(name: str) -> str:
    """The ending of a file's name, in small letters: "jpg". "" if it has none."""
    stem, dot, ending = name.rpartition(".")
    return ending.casefold() if dot and stem else ""


def may_be_photo(name: str) -> bool:
    """Whether a file may be a photo, by its ending."""
    return ending_of(name) in PHOTO_TYPES


def why_no_photo(name: str) -> str | None:
    """What a file is instead of a photo, as a phrase; None where its name tells nothing."""
    return next((kind for kind, endings in _OTHER_TYPES.items() if ending_of(name) in endings), None)


def is_system(name: str) -> bool:
    """Whether a file or folder belongs to a system or a program: thumbnails, waste baskets, side files and the like."""
    folded = name.casefold()
    return folded.startswith(_SYSTEM_STARTS) or folded in _SYSTEM_NAMES or ending_of(name) in _SYSTEM_TYPES


def name_in_file(file: str) -> str | None:
    """The person's name in a file's name: "Ben Okafor" for Ben_Okafor (2).jpg; None for a camera's number and the like."""
    if _CAMERA_FILE.fullmatch(file.partition(".")[0]):
        return None
    name = normal_name(bare_stem(file).replace("_", " "))
    return name if _is_name(name) else None


def bare_stem(file: str) -> str:
    """A file's name without its ending and without a counter."""
    while may_be_photo(file):
        file = file.rpartition(".")[0]
    while (stem := _COUNTER.sub("", file)) != file:
        file = stem
    return normal_name(file)


def is_full_name(name: str) -> bool:
    """Whether a name reads like a first and a last name."""
    text = normal_name(name.replace("_", " "))
    words = [word for word in text.split() if len(word) > 1]
    return _is_name(text) and len(words) > 1 and not any(word.islower() for word in words)


def is_term(folder: str) -> bool:
    """Whether a folder is named after a time or an occasion: "autumn 2025", "with glasses"."""
    words = _words(folder)
    return _TERM_WORDS.issuperset(words) and bool(words or _YEAR_OR_DATE.search(folder))


def is_class(folder: str) -> bool:
    """Whether a folder is named like a class: "7b", "Year 9", "red group"."""
    return bool(_CLASS.fullmatch(folder.strip())) or bool(_CLASS_WORDS.intersection(_words(folder)))


def is_no_person(folder: str) -> bool:
    """Whether a folder's name is clearly not a person's."""
    if is_term(folder) or is_class(folder) or _CAMERA_FOLDER.fullmatch(folder):
        return True
    return bool((_CAMERA_WORDS | _THING_WORDS).intersection(_words(folder)))


def natural(path: str) -> list[tuple[list[str | int], str]]:
    """A sort key that counts as people do: photo before photo 2, and photo 2 before photo 10."""
    return [_natural(name.casefold()) for name in path.split("/")]


def _natural(name: str) -> tuple[list[str | int], str]:
    ending = ending_of(name)
    parts = re.split(r"(\d+)", name.removesuffix(f".{ending}"))
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], ending


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]


def _is_name(text: str) -> bool:
    letters = [one for one in text if one.isalpha()]
    return (
        all(one.isalpha() or one in " ’'-.,·" or unicodedata.category(one).startswith("M") for one in text)
        and (len(letters) > 1 or any(one > "\u2e80" for one in letters))
        and len(text.split()) <= _MOST_WORDS
        and not (_CAMERA_WORDS | _THING_WORDS | _ROLE_WORDS | _CLASS_WORDS).intersection(_words(text))
    )
