// Run by test_output.py: no cell of a roll as CSV (demo/web/src/people/roll.ts) becomes a formula in a spreadsheet.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { rolldown } from "../../demo/web/node_modules/rolldown/dist/index.mjs";

const folder = await mkdtemp(join(tmpdir(), "roll-"));
const bundle = await rolldown({ input: new URL("../../demo/web/src/people/roll.ts", import.meta.url).pathname });
await bundle.write({ file: join(folder, "roll.mjs") });
const { asCsv } = await import(pathToFileURL(join(folder, "roll.mjs")).href);
await rm(folder, { recursive: true });

const cells = JSON.parse(await readFile(new URL("spreadsheet_cells.json", import.meta.url), "utf8"));
const entry = (name, distance) => ({ person: { name }, presence: "present", evidence: { distance, by: "machine" }, marked: false });
const rowOf = (csv) => csv.slice(csv.indexOf("\r\n") + 2, -2);
const quoted = (text) => (/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

for (const [text, cell] of cells) {
  test(`a class and a pupil called ${JSON.stringify(text)}`, () => {
    const row = rowOf(asCsv([entry(text, 0.5)], text, "2026-11-30", undefined));
    assert.equal(row, `2026-11-30,${quoted(cell)},${quoted(cell)},present,machine,0.500,`);
  });
}

test("a distance below 0 stays a number", () => {
  assert.ok(rowOf(asCsv([entry("Ada", -0.012)], "3b", "2026-11-30", undefined)).includes(",-0.012,"));
});
