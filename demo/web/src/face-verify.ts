import {
  PhotoError,
  type Analysis,
  type Embedded,
  type Face,
  type Scale,
  type SlotName,
  type Thresholds,
  type Verdict,
  type VerdictName,
} from "./contract";
import { find, shadow, sheet } from "./element";
import type { EmbedderChoice, EmbedderEvent } from "./embedder-choice";
import { engineAt, type EngineClient } from "./engine/client";
import { fetched } from "./fetched";
import { inWords, type DistanceGauge } from "./gauge";
import type { PhotoSlot, SlotEvents } from "./photo-slot";
import { decode, pixelsOf, type Photo } from "./photos";
import type { LoadProgress } from "./progress";
import samples from "./samples.json";
import type { EmbeddingStrips } from "./strip";
import base from "./styles/base.css?inline";
import css from "./styles/verify.css?inline";

const styles = [sheet(base), sheet(css)];

const LOOKING = "Looking for faces";
const SLOTS = ["a", "b"] as const satisfies SlotName[];
const VERDICTS: Record<VerdictName, string> = { same: "Same person", different: "Different people", unsure: "Can’t tell" };

/** Everything about the photo in one slot. A newer photo gets a new object, and `job` aborts the work on the old one. */
class Side {
  readonly job = new AbortController();
  photo: Photo | undefined;
  /** The engine's name for the photo. */
  handle: string | undefined;
  analysis: Analysis | undefined;
  chosen: number | null = null;
  /** The chosen face's embedding; undefined while it is computed. */
  embedded: Embedded | undefined;

  constructor(readonly load: () => Promise<Blob>) {}
}

/** `<face-verify app="../app/">`: compares two photos, and shows every step up to the verdict. */
export class FaceVerify extends HTMLElement {
  #root!: ShadowRoot;
  #engine!: EngineClient;
  #listening: AbortController | null = null;
  #sides: Record<SlotName, Side | null> = { a: null, b: null };
  /** The thresholds that the gauge shows before there is a verdict. */
  #scale: Scale | undefined;
  /** The name in models.json of the network that reads the faces; undefined: a file of the reader. */
  #network: string | undefined;
  /** The network that was chosen last from models.json; null: the page's default, or a file. */
  #listed: { name: string; normalise: boolean } | null = null;

  /** The embeddings that the strips show, for scripts of this page: null where there is none. */
  get embeddings(): Record<SlotName, Float32Array | null> {
    const { a, b } = this.#sides;
    return { a: a?.embedded?.embedding ?? null, b: b?.embedded?.embedding ?? null };
  }

  connectedCallback(): void {
    const app = new URL(this.getAttribute("app") ?? "./app/", document.baseURI);
    this.#engine = engineAt(app);
    if (!this.#root) {
      this.#root = shadow(this, TEMPLATE, ...styles);
      this.#listen();
      this.#offerSamples(new URL("samples/", app));
    }
    const { signal } = (this.#listening = new AbortController());
    this.#engine.addEventListener("change", () => this.#engineChanged(), { signal });
    document.addEventListener("paste", (event) => this.#paste(event), { signal });
    this.#engineChanged();
    this.#result(null);
    this.#offerEmbedders();
  }

  disconnectedCallback(): void {
    this.#listening?.abort();
    this.#clear();
  }

  // Actions of the reader

  #listen(): void {
    const root = this.#root;
    const on = <Name extends keyof SlotEvents>(name: Name, react: (slot: SlotName, detail: SlotEvents[Name]["detail"]) => void) =>
      root.addEventListener(name, (event) => react((event.target as PhotoSlot).name, (event as SlotEvents[Name]).detail));
    root.addEventListener("embedder", (event) => void this.#useEmbedder((event as EmbedderEvent).detail));
    on("slot-files", (slot, files) => this.#takeFiles(slot, files));
    on("slot-choose", (slot, face) => void this.#choose(slot, face));
    on("slot-remove", (slot) => this.#remove(slot));
    find(root, ".clear").addEventListener("click", () => this.#clear());
    find(root, ".retry").addEventListener("click", () => this.#retry());
  }

  /** The first file goes where it was dropped, and a second one into the other slot. */
  #takeFiles(name: SlotName, [first, second]: Blob[]): void {
    if (first) void this.#take(name, async () => first);
    if (second) void this.#take(name === "a" ? "b" : "a", async () => second);
  }

  #paste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    const focused = SLOTS.find((name) => this.#slot(name).matches(":focus-within"));
    const empty = SLOTS.find((name) => !this.#sides[name]);
    this.#takeFiles(focused ?? empty ?? "a", files);
  }

  #remove(name: SlotName): void {
    this.#begin(name, null);
    this.#slot(name).empty();
    this.#say(`${this.#slot(name).label} was removed.`);
  }

  #clear(): void {
    for (const name of SLOTS) this.#remove(name);
    this.#say("Both photos were removed from memory.");
  }

  /** After a failure: start a new engine, and read every photo again. */
  #retry(): void {
    this.#engine.restart();
    this.#offerEmbedders();
    for (const name of SLOTS) {
      const side = this.#sides[name];
      if (!side) continue;
      side.handle = undefined; // only the old engine knows it
      void this.#take(name, side.load);
    }
  }

  /** Offer the listed networks; the page's default is in use. */
  #offerEmbedders(): void {
    this.#listed = null;
    this.#engine.manifest.then((manifest) => {
      this.#choice.offer(manifest, () => this.#engine.runtimeBytes());
      this.#scale = scaleOf(manifest.embedder.calibration?.good);
      this.#network = manifest.embedder.name;
      if (!this.#sides.a && !this.#sides.b) this.#result(null);
    }, () => {}); // the engine reports what went wrong
  }

  /** Read every visible face again with another network. If only the distances change, compare again. */
  async #useEmbedder(asked: EmbedderEvent["detail"]): Promise<void> {
    const choice = this.#choice;
    choice.busy();
    let read: SlotName[];
    try {
      const isFile = asked && "file" in asked;
      const wanted = isFile ? { file: await asked.file.arrayBuffer() } : asked;
      if (isFile && (await this.#engine.alone())) await this.#reopen(); // a reader's network may run for ever
      const told = await this.#engine.useEmbedder(wanted);
      this.#listed = isFile ? null : asked;
      choice.done(told, asked);
      const network = isFile ? undefined : told.name;
      const isAnother = !network || network !== this.#network;
      this.#network = network;
      read = SLOTS.filter((name) => isAnother && this.#sides[name]?.analysis && this.#sides[name]?.chosen !== null);
      for (const name of read) this.#sides[name]!.embedded = undefined; // embeddings of two networks cannot be compared
      this.#scale = told.measured ? scaleOf(await this.#engine.scale()) : undefined;
      this.#result(null);
    } catch (error) {
      const known = error instanceof Error && ["PhotoError", "EngineError"].includes(error.name);
      if (!known) console.error(error);
      return choice.fail(known ? error.message : "This file could not be opened. Choose it again, or choose another one.");
    }
    for (const name of read) await this.#choose(name, this.#sides[name]?.chosen ?? 0);
    if (!read.length && SLOTS.every((name) => this.#sides[name]?.embedded)) await this.#compare();
  }

  /** Give photos and network to an engine that has started again. */
  async #reopen(): Promise<void> {
    for (const name of SLOTS) {
      const side = this.#sides[name];
      if (side?.photo) side.handle = this.#engine.open(pixelsOf(side.photo));
    }
    if (this.#listed) await this.#engine.useEmbedder(this.#listed);
  }

  // Work on a photo

  /** Replace what is in a slot, and abort the work on it. */
  #begin(name: SlotName, side: Side | null): void {
    const old = this.#sides[name];
    old?.job.abort();
    if (old?.handle !== undefined) this.#engine.close(old.handle);
    this.#sides[name] = side;
    this.#result(null);
  }

  async #take(name: SlotName, load: () => Promise<Blob>): Promise<void> {
    const slot = this.#slot(name);
    const side = new Side(load);
    const { signal } = side.job;
    this.#begin(name, side);
    slot.empty();
    slot.busy("working", "Opening the photo");
    await this.#guard(name, side, async () => {
      const [file, manifest] = await Promise.all([load(), this.#engine.manifest]);
      side.photo = await decode(file, manifest.photo.max_side);
      signal.throwIfAborted();
      slot.show(side.photo);
      await this.#analyse(name, side, side.photo);
    });
  }

  async #analyse(name: SlotName, side: Side, photo: Photo): Promise<void> {
    const slot = this.#slot(name);
    const { signal } = side.job;
    if (this.#engine.state.phase === "ready") {
      slot.busy("working", LOOKING);
      this.#say(`${slot.label}: looking for faces.`);
    } else {
      slot.busy("waiting", "Waiting for the models");
      this.#say(`${slot.label} is open and waits for the models.`);
    }
    side.handle = this.#engine.open(pixelsOf(photo));
    const { faces, chosen, embedded } = (side.analysis = await this.#engine.find(side.handle, signal));
    signal.throwIfAborted();
    if (!embedded) throw new PhotoError("No face was found. Try a photo with a larger face, looking towards the camera, in good light.");
    side.chosen = chosen;
    slot.faces(faces, chosen);
    await this.#read(name, side, embedded);
  }

  async #choose(name: SlotName, face: number): Promise<void> {
    const side = this.#sides[name];
    if (side?.analysis) await this.#guard(name, side, () => this.#embed(name, side, side.analysis!.faces, face));
  }

  async #embed(name: SlotName, side: Side, faces: Face[], chosen: number): Promise<void> {
    const slot = this.#slot(name);
    side.chosen = chosen;
    side.embedded = undefined;
    this.#result(null);
    slot.busy("working", "Reading the face");
    slot.faces(faces, chosen);
    const embedded = await this.#engine.embed(side.handle!, faces[chosen]!, side.job.signal);
    if (side.job.signal.aborted || side.chosen !== chosen) return; // another photo or face was chosen in the meantime
    await this.#read(name, side, embedded);
  }

  /** Store the embedding of a face, and compare if both are there. */
  async #read(name: SlotName, side: Side, embedded: Embedded): Promise<void> {
    side.embedded = embedded;
    this.#slot(name).done(embedded);
    await this.#compare();
    if (SLOTS.every((name) => !this.#sides[name] || this.#sides[name].embedded)) for (const name of SLOTS) void this.#lookForMore(name);
  }

  /** Look for smaller faces than the one in the answer, so that the reader can choose them. The answer does not wait for this. */
  async #lookForMore(name: SlotName): Promise<void> {
    const side = this.#sides[name];
    const { analysis, chosen } = side ?? {};
    if (!side || !analysis || analysis.complete || chosen == null) return;
    const { detect } = analysis.milliseconds;
    analysis.complete = true; // so that it is asked for once
    const all = await this.#engine.analyse(side.handle!, side.job.signal, analysis.faces[chosen]).catch(() => undefined);
    if (!all || side.job.signal.aborted || side.chosen !== chosen) return;
    side.analysis = { ...all, milliseconds: { detect } };
    side.chosen = all.chosen;
    this.#slot(name).faces(all.faces, all.chosen);
  }

  async #compare(): Promise<void> {
    const { a, b } = this.#sides;
    this.#result(null);
    if (!a?.embedded || !b?.embedded) return this.#sayWhatIsNext(a?.embedded ? "b" : "a");
    const [left, right] = [a.embedded, b.embedded];
    const poor = left.poor.length + right.poor.length > 0;
    const verdict = await this.#engine.compare(left.embedding, right.embedding, poor);
    if (this.#sides.a?.embedded === left && this.#sides.b?.embedded === right) this.#result(verdict);
  }

  /** Say that one photo is ready. `other`: the slot that the verdict waits for. */
  #sayWhatIsNext(other: SlotName): void {
    const done = other === "a" ? "B" : "A";
    const cannot = this.#slot(other).state === "failed";
    this.#say(`Photo ${done} is ready. Photo ${other.toUpperCase()} ${cannot ? "cannot be used: choose another one" : "is next"}.`);
  }

  /** Run a job on a photo. Errors become a sentence in its slot, unless the job was aborted. */
  async #guard(name: SlotName, side: Side, job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      if (side.job.signal.aborted) return;
      const slot = this.#slot(name);
      if (this.#engine.state.phase === "failed") return slot.busy("waiting", "Waiting for the models");
      const known = error instanceof Error && error.name === "PhotoError"; // by name, because the worker's errors lose their class
      if (!known) console.error(error);
      slot.fail(known ? error.message : "Something went wrong with this photo. Try another one, or reload the page.");
      this.#say("");
    }
  }

  // Views

  #engineChanged(): void {
    const { state } = this.#engine;
    const progress = find<LoadProgress>(this.#root, "load-progress");
    this.dataset.engine = state.phase;
    find(this.#root, ".failure p").textContent = state.phase === "failed" ? state.message : "";
    if (state.phase === "loading") progress.show(state.progress.loaded, state.progress.total, state.progress.what);
    if (state.phase === "ready") {
      progress.finish(state, state.seconds);
      const waiting = SLOTS.map((name) => this.#slot(name)).filter((slot) => slot.state === "waiting");
      for (const slot of waiting) slot.busy("working", LOOKING);
      if (waiting.length) this.#say(`${LOOKING}.`);
    }
    if (SLOTS.some((name) => this.#sides[name])) return; // the status line is about the photos then
    this.#say({ loading: "Loading. You can add photos now.", ready: "Ready: add two photos.", failed: "" }[state.phase]);
  }

  /** Show a verdict, or with null that there is none yet, and everything that depends on the two photos. */
  #result(verdict: (Verdict & { milliseconds: number }) | null): void {
    const root = this.#root;
    const heading = find(root, ".verdict");
    if (verdict) {
      heading.dataset.verdict = verdict.verdict ?? "none";
      heading.dataset.distance = String(verdict.distance);
      heading.textContent = verdict.verdict ? VERDICTS[verdict.verdict] : `Distance ${inWords(verdict.distance, 2)}`;
      this.#say(`${heading.textContent}. ${reasonOf(verdict)}`);
    } else {
      delete heading.dataset.verdict;
      delete heading.dataset.distance;
      heading.textContent = "No verdict yet";
    }
    find(root, ".reason").textContent = verdict ? reasonOf(verdict) : "";
    find(root, ".words").textContent = verdict?.words ?? "Add two photos that each show a face. The answer appears here.";
    find<EmbeddingStrips>(root, "embedding-strips").show(this.embeddings.a, this.embeddings.b);
    this.#showTimings(verdict?.milliseconds);
    const gauge = find<DistanceGauge>(root, "distance-gauge");
    const scale = verdict ? scaleFor(verdict) : this.#scale;
    gauge.hidden = find(root, ".scale").hidden = !scale;
    if (scale) gauge.show(verdict, scale);
  }

  #showTimings(compare?: number): void {
    const cell = (milliseconds: number | undefined) => (milliseconds === undefined ? "–" : milliseconds.toFixed(milliseconds < 10 ? 1 : 0));
    const { a, b } = this.#sides;
    const row = (stage: string, what: string, cells: string) => `<tr><th scope="row">${stage}</th>${cells}<td class="what">${what}</td></tr>`;
    const both = (of: (side: Side) => number | undefined) => `<td>${cell(a ? of(a) : undefined)}</td><td>${cell(b ? of(b) : undefined)}</td>`;
    find(this.#root, ".timings tbody").innerHTML =
      row("Detect", "three small networks look for the largest face; smaller faces follow after the answer", both((side) => side.analysis?.milliseconds.detect)) +
      row("Align", "turn, scale and cut out the face by its landmarks", both((side) => side.embedded?.milliseconds.align)) +
      row("Embed", `one larger network turns the chip into ${(a?.embedded ?? b?.embedded)?.embedding.length ?? 128} numbers`, both((side) => side.embedded?.milliseconds.embed)) +
      row("Compare", "measure the distance between the two embeddings, and decide", `<td colspan="2">${cell(compare)}</td>`);
  }

  #offerSamples(folder: URL): void {
    const { photos, pairs, credit } = samples;
    const kept = new Map<string, Promise<Blob>>();
    const photo = (file: string) => {
      const fetched = kept.get(file) ?? fetchSample(new URL(file, folder));
      fetched.catch(() => kept.delete(file)); // so that the next click asks again
      kept.set(file, fetched);
      return fetched;
    };
    find(this.#root, ".pairs").append(
      ...pairs.map(({ a, b, label }, i) => {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.testid = `sample-${i}`;
        button.append(...[a, b].map((file) => thumbnail(folder, photos.indexOf(file) / (photos.length - 1))), label);
        button.addEventListener("click", () => {
          void this.#take("a", () => photo(a));
          void this.#take("b", () => photo(b));
        });
        return button;
      }),
    );
    find(this.#root, ".credit").textContent = credit;
    const { a, b } = pairs[0]!;
    for (const file of [a, b]) void photo(file); // fetched at once, because the page's head has asked for them
  }

  get #choice(): EmbedderChoice {
    return find<EmbedderChoice>(this.#root, "embedder-choice");
  }

  #slot(name: SlotName): PhotoSlot {
    return find<PhotoSlot>(this.#root, `photo-slot[name="${name}"]`);
  }

  /** Show a sentence in the status line, which screen readers read out. */
  #say(words: string): void {
    find(this.#root, ".status").textContent = words;
  }
}

/** The thresholds for good faces; undefined where nobody has measured them. */
function scaleOf(thresholds: Thresholds | undefined): Scale | undefined {
  return thresholds && { sure_below: thresholds.same_below, threshold: thresholds.different_from };
}

/** The thresholds of one answer. */
function scaleFor({ sure_below, threshold }: Verdict): Scale | undefined {
  return sure_below === null || threshold === null ? undefined : { sure_below, threshold };
}

/** The thresholds that led from the distance to the verdict, in words; "" where there is no verdict. */
function reasonOf(answer: Verdict): string {
  const scale = scaleFor(answer);
  if (!scale || !answer.verdict) return "";
  const values = [answer.distance, scale.sure_below, scale.threshold];
  // As few digits as show on which side of each threshold the distance lies.
  const digits = [2, 3, 4].find((digits) => new Set(values.map((value) => value.toFixed(digits))).size === values.length) ?? 5;
  const [distance, same, different] = values.map((value) => inWords(value, digits));
  const limits = {
    same: `the limit for “same person” is ${same}`,
    different: `“different people” begins at ${different}`,
    unsure: `“same person” ends at ${same}, “different people” begins at ${different}`,
  };
  return `Distance ${distance}${answer.crowdedness ? ", corrected for crowding" : ""}; ${limits[answer.verdict]}.`;
}

async function fetchSample(file: URL): Promise<Blob> {
  const photo = await fetched(file);
  if (!photo) throw new PhotoError("The sample photo did not arrive. Check the connection, then choose it again.");
  return photo;
}

/** One picture of a row of thumbnails, at `along` from 0 to 1. The button's label says who it is. */
function thumbnail(folder: URL, along: number): HTMLElement {
  const picture = document.createElement("span");
  picture.className = "thumbnail";
  picture.style.background = `${100 * along}% 0 / auto 100% url("${new URL("thumbnails.webp", folder)}")`;
  return picture;
}

const TEMPLATE = `
  <section class="samples" aria-label="Sample photos">
    <p>No photos at hand? Try one of these pairs:</p>
    <div class="pairs"></div>
    <p class="credit"></p>
  </section>
  <div class="engine">
    <load-progress></load-progress>
    <div class="failure"><p role="alert" data-testid="failure"></p><button type="button" class="retry primary" data-testid="retry">Try again</button></div>
    <p class="status" role="status" data-testid="status"></p>
  </div>
  <div class="slots">
    <photo-slot name="a"></photo-slot>
    <photo-slot name="b"></photo-slot>
  </div>
  <p class="caption">Boxes mark the faces that were found. Five dots mark the landmarks of the face that is compared: eyes, nose and corners of the mouth. The chip is all that the embedding network sees.</p>
  <section class="result" aria-labelledby="verdict">
    <h2 class="verdict" id="verdict" data-testid="verdict"></h2>
    <p class="reason" data-testid="reason"></p>
    <p class="words"></p>
    <distance-gauge data-testid="gauge"></distance-gauge>
    <p class="caption scale">The distance between the two embeddings. Photos of one person usually lie close together, and photos of two people far apart. Between the two lines the demo does not decide.</p>
  </section>
  <section aria-labelledby="embeddings">
    <h2 id="embeddings">The two embeddings</h2>
    <embedding-strips></embedding-strips>
    <p class="caption">Each row is the embedding of a face, and each column one of its numbers: blue below zero, orange above. The third row is darkest where the two faces differ most.</p>
  </section>
  <section class="cost" aria-labelledby="cost">
    <h2 id="cost">How long it took</h2>
    <table class="timings" data-testid="timings">
      <thead><tr><th scope="col">Milliseconds</th><th scope="col">A</th><th scope="col">B</th><th scope="col" class="what">What happens</th></tr></thead>
      <tbody></tbody>
    </table>
    <p class="caption">Measured on this machine, stage by stage.</p>
  </section>
  <embedder-choice></embedder-choice>
  <footer>
    <p>Your photos stay on this machine: nothing is sent anywhere, and nothing is kept.</p>
    <button type="button" class="clear" data-testid="clear">Clear both photos</button>
  </footer>`;
