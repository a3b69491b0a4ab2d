"""How photos lie in folders: whose each is, what is left out, what has to be asked. One rule for the page and the command line.

    class/Anna/1.jpg                     a folder for each person, named after them
    class/Anna/autumn/1.jpg              with folders inside, as deep as you like: all photos in Anna are Anna’s
    school/7b/Anna/1.jpg                 with folders around them: a folder that holds nothing but one folder is nobody
    class/Anna Meyer.jpg                 a photo for each person, named after them; a number behind the name does not count
    class/Anna/1.jpg, class/Ben.jpg      both at once

Where names do not tell which folders are people, nobody is guessed: the layout comes with a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from .gallery import normal_name
from .names import (
    bare_stem,
    is_class,
    is_full_name,
    is_no_person,
    is_system,
    is_term,
    may_be_photo,
    name_in_file,
    natural,
    why_no_photo,
)

FILES = -1  # instead of a level: every photo is named after its person

NO_PHOTO = "no photo: JPEG, PNG and WebP files are read"
BESIDE = "it lies beside the people’s folders: move it into one, or name it after its person"
ABOVE = "it lies above the people’s folders: move it into one"
NAMELESS = "its name is no person’s"
EMPTY = "no photos in it"
NAMED = 3  # the most examples named in a sentence


@dataclass(frozen=True)
class Entry:
    """One of the given files and folders.

    path: the names from the outermost given folder down to its own, joined by “/”. trouble: why it cannot be opened. A folder with
    something in it need not be listed.
    """

    path: str
    folder: bool = False
    trouble: str | None = None

    @property
    def parts(self) -> list[str]:
        return self.path.split("/")


@dataclass(frozen=True)
class Sifted:
    """Which of the entries are photos, and which are left out.

    photos: their indices, in the order in which people count. left out: with the reason. system: a sentence about the files and
    folders that belong to the system; None if there are none.
    """

    photos: list[int]
    left_out: list[tuple[int, str]]
    system: str | None = None


@dataclass(frozen=True)
class Question:
    """A question that the layout leaves open. answers: what each would mean, by the level to pass to `read_layout`."""

    words: str
    answers: Mapping[int, str]


@dataclass(frozen=True)
class Layout(Sifted):
    """Who is on which photo.

    people: the indices of each person's photos. empty: the names of people's folders without a photo. notes: names that were merged
    or told apart. question: if there is one, there are no people yet.
    """

    people: dict[str, list[int]] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    question: Question | None = None

    def as_json(self) -> dict[str, Any]:
        """The layout as the page reads it."""
        answers = [{"people_at": level, "words": words} for level, words in self.question.answers.items()] if self.question else []
        return {
            **asdict(self),
            "people": [{"name": name, "photos": photos} for name, photos in self.people.items()],
            "question": self.question and {"words": self.question.words, "answers": answers},
        }


def sift(entries: Sequence[Entry]) -> Sifted:
    """The photos among files and folders."""
    photos, left_out, system = [], [], {}
    for i in sorted(range(len(entries)), key=lambda i: natural(entries[i].path)):
        entry = entries[i]
        if own := _system_part(entry):
            system[own] = own.rpartition("/")[2]
        elif entry.trouble:
            left_out.append((i, entry.trouble))
        elif not entry.folder:
            if may_be_photo(entry.path) or ("/" not in entry.path and not why_no_photo(entry.path)):
                photos.append(i)  # a file that was chosen on its own may be a photo under any name
            else:
                left_out.append((i, why_no_photo(entry.path) or NO_PHOTO))
    return Sifted(photos, left_out, _system_words(list(system.values())))


def read_layout(entries: Sequence[Entry], people_at: int | None = None, called: str = "") -> Layout:
    """Finds out who is on which of the photos among files and folders.

    people_at: which part of an entry’s path names its person, counted from 0, or FILES. None lets the names decide; if they cannot,
    the layout comes with a question. called: the name of the person, if all photos were given without a folder.
    """
    sifted = sift(entries)
    top = _tree(entries, sifted)
    if not top.count:
        return Layout(**vars(sifted))
    if called and not top.populated:
        return Layout(**vars(sifted), people={normal_name(called): sifted.photos})
    decided = _decide(top, 0) if people_at is None else people_at
    if isinstance(decided, Question):
        return Layout(**vars(sifted), question=decided)
    return _placed(entries, sifted, decided)


def examples(names: Iterable[str], most: int = NAMED) -> str:
    """A few of some names, for a sentence: "‘Anna’, ‘Ben’ and 3 more"."""
    quoted = [f"‘{name}’" for name in dict.fromkeys(names)]
    if len(quoted) > most:
        quoted[most - 1 :] = [f"{len(quoted) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


# --- what lies where


class _Folder:
    """A folder. photos: the names of the photos directly in it. folders: those in it, by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.photos: list[str] = []
        self.folders: dict[str, _Folder] = {}

    @cached_property
    def count(self) -> int:
        """The number of photos in it, at any depth."""
        return len(self.photos) + sum(folder.count for folder in self.folders.values())

    @cached_property
    def populated(self) -> list[_Folder]:
        """The folders directly in it that hold photos, at any depth."""
        return [folder for folder in self.folders.values() if folder.count]

    @cached_property
    def all_photos(self) -> list[str]:
        """The names of all its photos, at any depth."""
        return [*self.photos, *(photo for folder in self.populated for photo in folder.all_photos)]

    @cached_property
    def all_terms(self) -> bool:
        """Whether all folders in it, at any depth, are named after times and occasions."""
        return all(is_term(folder.name) and folder.all_terms for folder in self.populated)


def _tree(entries: Sequence[Entry], sifted: Sifted) -> _Folder:
    top = _Folder("")
    photos = set(sifted.photos)
    order = sorted((i for i in range(len(entries)) if not _system_part(entries[i])), key=lambda i: natural(entries[i].path))
    for i in order:
        *around, own = entries[i].parts
        here = top
        for name in [*around, *([own] if entries[i].folder else [])]:
            here = here.folders.setdefault(name, _Folder(name))
        if i in photos:
            here.photos.append(own)
    return top


def _system_part(entry: Entry) -> str | None:
    """The outermost part of an entry’s path that belongs to the system."""
    parts = entry.parts
    own = next((i for i, part in enumerate(parts) if is_system(part)), None)
    return None if own is None else "/".join(parts[: own + 1])


def _system_words(names: Sequence[str]) -> str | None:
    if not names:
        return None
    what = "one file or folder" if len(names) == 1 else f"{len(names)} files and folders"
    return f"{what} of the system’s own ({examples(names)})"


# --- who is a person


def _decide(here: _Folder, level: int) -> int | Question:
    """The level of the people’s names. level: that of the folders in `here`."""
    folders = here.populated
    if not folders:
        return _heap(here.photos, None, level)
    if len(here.folders) == 1 and not here.photos:
        (only,) = folders
        if not only.populated:
            return _heap(only.photos, only, level)
        if level == 0 or not only.photos:
            return _inside(only, level)
    if any(folder.populated for folder in folders):
        return _nested(folders, level)
    if not all(is_no_person(folder.name) for folder in folders):
        return level
    if _all_named(here.all_photos):
        return FILES
    answers = {level: "Yes", **({level - 1: f"No: all are photos of ‘{here.name}’"} if level else {}), **_by_files(here.all_photos)}
    called = examples(folder.name for folder in folders)
    return Question(f"Are {called} people?" if len(folders) > 1 else f"Is {called} a person?", answers)


def _inside(only: _Folder, level: int) -> int | Question:
    """The level where one folder holds everything: it surrounds the people, unless its folders are sorted by occasion."""
    inner = [folder.name for folder in only.populated]
    own = [is_term(folder.name) and folder.all_terms for folder in only.populated]
    if all(own) and is_no_person(only.name) and _all_named(only.all_photos):
        return FILES
    if all(own) and level:
        return level
    if all(own) or (only.photos and (any(own) or len(inner) == 1)):
        several = len(inner) > 1
        answers = {
            level: f"One person, called ‘{only.name}’",
            level + 1: f"{examples(inner)} {'are people' if several else 'is the person'}",
        }
        answers |= _by_files(only.all_photos)
        return Question(f"Is ‘{only.name}’ one person, or {'are' if several else 'is'} {examples(inner)}?", answers)
    return _decide(only, level + 1)


def _nested(folders: Sequence[_Folder], level: int) -> int | Question:
    """The level where some folders hold folders of photos: either people with sorted photos, or classes of people."""
    deep = [folder for folder in folders if folder.populated]
    inner = [inside.name for folder in deep for inside in folder.populated]
    terms = [is_term(name) for name in inner]
    around_people = all(is_class(folder.name) or is_term(folder.name) for folder in deep)
    if all(terms) and not around_people:
        return level
    if around_people and not any(terms):
        return level + 1
    if not around_people:
        different = len(set(inner))
        recurring = len(deep) > 2 * different  # a few names that appear in many folders
        beside_people = len(deep) < len(folders)
        single = all(len(folder.populated) == 1 and (folder.photos or beside_people) for folder in deep)
        if recurring or single:
            return level
        full_names = different == len(inner) and all(map(is_full_name, inner))
        if full_names and not beside_people and not any(is_full_name(folder.name) for folder in deep):
            return level + 1
    first, *others = [deep[0].name, *(folder.name for folder in folders if folder is not deep[0])]
    return Question(
        f"Is ‘{first}’ a person, or a class?",
        {
            level: f"A person, as {'is' if len(others) == 1 else 'are'} {examples(others)}" if others else "A person",
            level + 1: f"A class, with {examples(inner)} in it",
        },
    )


def _heap(photos: Sequence[str], folder: _Folder | None, level: int) -> int | Question:
    """The level where all photos lie in one folder; None: in no folder."""
    all_named = _all_named(photos)
    one = len(photos) == 1
    if folder is None:
        if all_named:
            return FILES
        return Question("Whose photo is this?" if one else "Whose photos are these?", _by_files(photos))
    may_be_name = not is_no_person(folder.name)
    if level and may_be_name:
        return level
    if all_named:
        named = _people_of(photos)
        if {name.casefold() for name in named} == {normal_name(folder.name).casefold()}:
            return level
        full_names = all(map(is_full_name, named)) and not is_full_name(folder.name)
        capitals = folder.name.islower() and not any(name.islower() for name in named)
        if not may_be_name or full_names or capitals:
            return FILES
    these = "Is this a photo" if one else f"Are these {len(photos)} photos all"
    return Question(f"{these} of one person called ‘{folder.name}’?", {level: f"Yes, of ‘{folder.name}’", **_by_files(photos)})


def _by_files(photos: Sequence[str]) -> dict[int, str]:
    """The answer that photos are named after their people, offered where at least half of them are."""
    named = _people_of(photos)
    rest = len(photos) - len(named)
    if rest > len(named):
        return {}
    left_out = f"; {'one photo is' if rest == 1 else f'{rest} photos are'} left out" if rest else ""
    return {FILES: f"Each photo is named after its person: {examples(named)}{left_out}"}


def _people_of(photos: Sequence[str]) -> list[str]:
    """The names of people that photos bear, one for each photo that bears one."""
    return [name for name in map(name_in_file, photos) if name]


def _all_named(photos: Sequence[str]) -> bool:
    named = _people_of(photos)
    return len(named) == len(photos) and not all(map(is_term, named))


# --- who is on each photo, once the level is known

_Person = tuple[tuple[str, ...], str]  # the folders around a person’s folder, and the person’s name


def _placed(entries: Sequence[Entry], sifted: Sifted, people_at: int) -> Layout:
    folders = _people_folders(entries, people_at)
    found: dict[_Person, list[int]] = {}
    left_out = list(sifted.left_out)
    for i in sifted.photos:
        *around, own = entries[i].parts
        if len(around) < people_at:
            left_out.append((i, ABOVE))
        elif people_at != FILES and len(around) > people_at:
            found.setdefault((tuple(around[:people_at]), normal_name(around[people_at])), []).append(i)
        else:
            stem = bare_stem(own)  # unchanged where a folder of exactly that name exists
            name = stem if (tuple(around), stem) in folders else name_in_file(own)
            if name:
                found.setdefault((tuple(around), name), []).append(i)
            else:
                left_out.append((i, NAMELESS if people_at == FILES else BESIDE))
    left_out += _empty_above(entries, people_at)
    names, notes = _names(found, folders)
    people: dict[str, list[int]] = {}
    for person, photos in found.items():
        people.setdefault(names[person], []).extend(photos)
    return Layout(
        sifted.photos,
        sorted(left_out, key=lambda one: natural(entries[one[0]].path)),
        sifted.system,
        people,
        [name for around, name in folders if (around, name) not in found],
        notes,
    )


def _people_folders(entries: Sequence[Entry], people_at: int) -> dict[_Person, set[str]]:
    """The people’s folders, and every way in which each name is written."""
    folders: dict[_Person, set[str]] = {}
    for entry in sorted(entries, key=lambda entry: natural(entry.path)):
        parts = entry.parts if entry.folder else entry.parts[:-1]
        if people_at != FILES and len(parts) > people_at and not _system_part(entry):
            folders.setdefault((tuple(parts[:people_at]), normal_name(parts[people_at])), set()).add(parts[people_at])
    return folders


def _empty_above(entries: Sequence[Entry], people_at: int) -> list[tuple[int, str]]:
    """Folders around people’s folders that hold no photo."""
    holding = {"/".join(entry.parts[:depth]) for entry in entries for depth in range(1, len(entry.parts))}
    return [
        (i, EMPTY)
        for i, entry in enumerate(entries)
        if entry.folder
        and not entry.trouble
        and len(entry.parts) <= people_at
        and entry.path not in holding
        and not _system_part(entry)
    ]


def _names(
    found: Mapping[_Person, Sequence[int]], folders: Mapping[_Person, Iterable[str]]
) -> tuple[dict[_Person, str], list[str]]:
    """The name under which each person is known, and remarks about it.

    The same name in two classes means two people; in two terms it means one person.
    """
    places: dict[str, list[tuple[str, ...]]] = {}
    for around, name in found:
        places.setdefault(name, []).append(around)
    notes = [
        f"{len(spelt)} folders are named {name}, written in different ways: they are one person"
        for around, name in found
        if len(spelt := list(folders.get((around, name), ()))) > 1
    ]
    names: dict[_Person, str] = {}
    for name, arounds in places.items():
        if len(arounds) == 1 or all(around and is_term(around[-1]) for around in arounds):
            names |= {(around, name): name for around in arounds}
            continue
        lasts = [around[-1] if around else "" for around in arounds]
        for around, last in zip(arounds, lasts, strict=True):
            where = last if lasts.count(last) == 1 else "/".join(around)
            names[around, name] = f"{name} ({where})" if where else name
        notes.append(f"more than one person is called ‘{name}’: they are kept apart as {examples(names[a, name] for a in arounds)}")
    return names, notes
