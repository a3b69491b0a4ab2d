/**
 * The chapters' entry, on every page and small: labs and code cells take the places that the book's build marked. The heavy parts
 * (the engine, the editor) come when a reader first needs them.
 */

/** Milliseconds for the first answer, once there is an engine: what is kept for later would share the line and the processor with it. */
const PATIENCE = 3000;

/** What each page's head has for scripts that do not come: demo/book/theme/main.html. */
declare global {
  var facelabMissing: ((places: Iterable<Element>) => void) | undefined;
}

const labs = document.querySelectorAll<HTMLElement>("[data-lab]");
const cells = document.querySelectorAll<HTMLElement>(".highlight.cell");

const missing = (places: Iterable<Element>) => (error: unknown) => {
  console.error(error);
  globalThis.facelabMissing?.(places);
};

if (labs.length) void import("./book/lab").then(({ placeLabs }) => placeLabs(labs)).catch(missing(labs));
void afterTheEngine().then(() => import("./offline")).catch(console.error);
if (cells.length) void import("./book/cell").then(({ placeCells }) => placeCells(cells)).catch(missing(cells));

/** At once, where the page begins with none, or runs this script late. */
async function afterTheEngine(): Promise<void> {
  if (document.documentElement.dataset.facelab !== "loading") return;
  await new Promise((resolve) => ["ready", "failed"].forEach((how) => addEventListener(`facelab-engine-${how}`, resolve, { once: true })));
  await new Promise((resolve) => setTimeout(resolve, PATIENCE));
}

export {};
