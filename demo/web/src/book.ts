/**
 * The chapters' entry, on every page and small: labs and code cells take the places that the book's build marked. The heavy parts
 * (the engine, the editor) come when a reader first needs them.
 */

const labs = document.querySelectorAll<HTMLElement>("[data-lab]");
const cells = document.querySelectorAll<HTMLElement>(".highlight.cell");

if (labs.length) void import("./book/lab").then(({ placeLabs }) => placeLabs(labs));
void import("./offline");
if (cells.length) void import("./book/cell").then(({ placeCells }) => placeCells(cells));

export {};
