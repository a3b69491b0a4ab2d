/**
 * The entry for all chapters, small because it loads on every page. It puts labs and code cells into the places that the build marked. The heavy parts (the
 * engine, the editor) load when a reader first needs them.
 */

/** Milliseconds to wait for the first answer before other work begins, because that work would compete with the engine for the network and the processor. */
const PATIENCE = 3000;

/** Defined in each page's head, for scripts that do not arrive: demo/book/theme/main.html. */
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

/** Do it at once on pages that start no engine, or when this script runs late. */
async function afterTheEngine(): Promise<void> {
  if (document.documentElement.dataset.facelab !== "loading") return;
  await new Promise((resolve) => ["ready", "failed"].forEach((how) => addEventListener(`facelab-engine-${how}`, resolve, { once: true })));
  await new Promise((resolve) => setTimeout(resolve, PATIENCE));
}

export {};
