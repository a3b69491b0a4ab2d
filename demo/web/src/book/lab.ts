import type { Control, LabDescription, Settings } from "../contract";
import { openCamera, takePhoto } from "../camera";
import { find, shadow, sheet } from "../element";
import { LoadProgress } from "../progress";
import base from "../styles/base.css?inline";
import css from "../styles/lab.css?inline";
import "../stray-drops";
import { workspace } from "./workspace";
import { element, showPanels } from "./panels";

/** Milliseconds without a move, after which a slider is taken to have come to rest. */
const STILL = 250;
/** Milliseconds that a step is to be seen at least while a slider plays. */
const STEP_SEEN = 90;

const styles = [sheet(base), sheet(css)];

/** Put a lab in the place of each still picture. */
export function placeLabs(stills: Iterable<HTMLElement>): void {
  if (!customElements.get("load-progress")) customElements.define("load-progress", LoadProgress);
  customElements.define("face-lab", FaceLab);
  for (const still of stills) {
    const lab = document.createElement("face-lab") as FaceLab;
    lab.setAttribute("kind", still.dataset.lab!);
    lab.told = JSON.parse(still.dataset.told!) as LabDescription;
    lab.toggleAttribute("data-waiting", "waiting" in still.dataset);
    lab.style.cssText = still.style.cssText;
    lab.dataset.testid = `lab-${still.dataset.lab!}`;
    lab.append(...still.childNodes);
    still.replaceWith(lab);
  }
}

/** `still`: a picture from the book's build; `ready`: the panels answer what the controls say. */
type LabState = "still" | "loading" | "working" | "ready" | "failed";

/**
 * `<face-lab kind="cascade">`: controls, and panels that answer them. What is computed, Python computes (facelab.labs); until it is
 * there, a still picture stands in the place of the panels.
 */
export class FaceLab extends HTMLElement {
  told!: LabDescription;
  #root!: ShadowRoot;
  #settings: Settings = {};
  #asked: AbortController | null = null;
  #again = false;
  #camera: AbortController | null = null;
  #leave: AbortController | null = null;

  get kind(): string {
    return this.getAttribute("kind")!;
  }

  connectedCallback(): void {
    if (!this.#root) {
      this.#settings = { ...this.told.settings };
      this.#root = shadow(this, template(this.told), ...styles);
      this.#makeControls();
      if (this.told.wants_photo) this.#offerPhotos();
      this.#press(".start", () => void this.#start());
      this.#press(".retry", () => {
        workspace.engine.restart();
        void this.#answer();
      });
    }
    this.#enter("still");
    const { signal } = (this.#leave = new AbortController());
    workspace.addEventListener("change", () => this.#workspaceChanged(), { signal });
    this.#workspaceChanged();
    if (!this.hasAttribute("data-waiting")) this.#startWhenNear(signal); // the others until the reader asks for it
  }

  disconnectedCallback(): void {
    this.#leave?.abort();
    this.#camera?.abort();
    this.#asked?.abort();
    this.#pause();
  }

  /** Near the window, and after the reader has done something: whoever only looks in loads no megabytes. */
  #startWhenNear(signal: AbortSignal): void {
    if ((navigator as { connection?: { saveData?: boolean } }).connection?.saveData) return; // then on request only
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        watch.disconnect();
        void this.#start();
      },
      { rootMargin: "300px" },
    );
    signal.addEventListener("abort", () => watch.disconnect());
    const begin = () => watch.observe(this);
    for (const type of ["scroll", "pointerdown", "keydown"]) addEventListener(type, begin, { once: true, passive: true, signal });
  }

  async #start(): Promise<void> {
    if (this.dataset.state !== "still") return;
    this.removeAttribute("data-waiting");
    this.#enter("loading"); // at once: coming near and being pressed are one start
    await this.#answer();
  }

  // Controls

  #makeControls(): void {
    const host = find(this.#root, ".controls");
    for (const control of this.told.controls) host.append(this.#make(control));
    if (!this.told.controls.length) host.remove();
  }

  #make(control: Control): HTMLElement {
    const row = element("label", `control ${control.kind}`);
    const testid = `lab-${this.kind}-${control.name}`;
    if (control.kind === "button") {
      const button = element("button", "", control.label);
      button.dataset.testid = testid;
      button.addEventListener("click", () => this.#set(control.name, Number(this.#settings[control.name]) + 1));
      const box = element("div", "control");
      box.append(button);
      return box;
    }
    if (control.kind === "slider") return this.#makeSlider(control, testid);
    row.append(element("span", "name", control.label));
    if (control.kind === "choice") {
      const select = element("select");
      select.dataset.testid = testid;
      for (const [option, label] of control.options) select.add(new Option(label, option, false, option === control.start));
      select.addEventListener("change", () => this.#set(control.name, select.value));
      row.append(select);
    } else {
      const input = element("input");
      input.type = "checkbox";
      input.checked = control.start;
      input.dataset.testid = testid;
      input.addEventListener("change", () => this.#set(control.name, input.checked));
      row.prepend(input);
    }
    return row;
  }

  #makeSlider(control: Slider, testid: string): HTMLElement {
    const row = element("div", "control slider");
    const input = element("input");
    const value = element("output", "", written(control, control.start));
    const name = element("label", "name", control.label);
    name.htmlFor = input.id = `slider-${control.name}`;
    Object.assign(input, { type: "range", min: control.low, max: control.high, step: control.step, value: control.start });
    input.dataset.testid = testid;
    const tell = () => (input.ariaValueText = value.textContent = written(control, input.valueAsNumber));
    input.addEventListener("input", () => {
      tell();
      this.#set(control.name, input.valueAsNumber);
    });
    row.append(name, input, value);
    if (control.play) row.append(this.#makePlay(control, input, tell));
    this.#onlyIf(control.only, row);
    return row;
  }

  // Playing: a slider that moves to its end, as fast as the answers come

  #playing: AbortController | null = null;

  #makePlay(control: Slider, input: HTMLInputElement, tell: () => void): HTMLElement {
    const button = element("button", "play");
    button.type = "button";
    button.ariaLabel = "Play";
    button.dataset.testid = `${input.dataset.testid!}-play`;
    button.addEventListener("click", () => {
      if (this.#playing) this.#pause();
      else void this.#play(control, input, tell, button);
    });
    return button;
  }

  /** From where it is to its end, or from its beginning where it is at its end; any touch of a control stops it. */
  async #play(control: Slider, input: HTMLInputElement, tell: () => void, button: HTMLElement): Promise<void> {
    const { signal } = (this.#playing = new AbortController());
    button.ariaLabel = "Pause";
    signal.addEventListener("abort", () => (button.ariaLabel = "Play"));
    let at = input.valueAsNumber < control.high ? input.valueAsNumber + control.step : control.low;
    while (!signal.aborted) {
      input.valueAsNumber = at;
      tell();
      this.#settings[control.name] = input.valueAsNumber;
      await Promise.all([this.#answer(this.told.quick), after(STEP_SEEN)]);
      while (this.#asked) await after(STEP_SEEN); // a question asked before this one
      if (this.dataset.state === "failed" || input.valueAsNumber >= control.high) break;
      at = input.valueAsNumber + control.step;
    }
    if (!signal.aborted) this.#pause();
  }

  #pause(): void {
    this.#playing?.abort();
    this.#playing = null;
  }

  /** Some controls are shown only while a choice has certain values. */
  readonly #conditions: (() => void)[] = [];

  #onlyIf(only: Slider["only"], row: HTMLElement): void {
    if (!only) return;
    const [choice, values] = only;
    const apply = () => (row.hidden = ![values].flat().includes(String(this.#settings[choice])));
    this.#conditions.push(apply);
    apply();
  }

  #set(name: string, value: Settings[string]): void {
    this.#pause();
    this.#settings[name] = value;
    for (const apply of this.#conditions) apply();
    void this.#answer(this.told.quick);
  }

  // Answers

  /** Ask for the newest settings; one question at a time, and none in between is kept. */
  async #answer(quick = false): Promise<void> {
    clearTimeout(this.#thorough);
    if (this.#asked) {
      this.#again = true;
      return;
    }
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    const wait = setTimeout(() => this.#enter(workspace.engine.state.phase === "ready" ? "working" : "loading"), 150);
    if (workspace.engine.state.phase !== "ready") this.#enter("loading");
    try {
      const panels = await workspace.lab(this.kind, { ...this.#settings, quick }, signal);
      clearTimeout(wait);
      this.toggleAttribute("data-quick", quick);
      this.#enter(quick ? "working" : "ready"); // ahead of the panels: charts are drawn in the room that they have
      showPanels(find(this.#root, ".panels"), panels, (name, x, y) => {
        this.#pause();
        this.#settings[`${name}_x`] = x;
        this.#settings[`${name}_y`] = y;
        void this.#answer();
      }, quick);
      this.#say("");
      if (quick) this.#thorough = setTimeout(() => void this.#answer(), STILL); // the rest follows when the hand is still
      else this.dataset.answers = String(Number(this.dataset.answers ?? 0) + 1);
    } catch (error) {
      clearTimeout(wait);
      if (signal.aborted) return;
      const known = error instanceof Error && ["PhotoError", "EngineError"].includes(error.name);
      if (!known) console.error(error);
      this.#say(known ? (error as Error).message : "This lab stumbled over your photo. Try another one.");
      this.#enter("failed");
    } finally {
      this.#asked = null;
    }
    if (this.#again) {
      this.#again = false;
      await this.#answer(quick);
    }
  }

  #thorough: ReturnType<typeof setTimeout> | undefined;

  #workspaceChanged(): void {
    this.#showPhoto();
    if (!workspace.started) return;
    const { state } = workspace.engine;
    const progress = find<LoadProgress>(this.#root, "load-progress");
    if (state.phase === "loading") progress.show(state.progress.loaded, state.progress.total, state.progress.what);
    find(this.#root, ".retry").hidden = state.phase !== "failed";
    if (this.#seen !== workspace.own) {
      this.#seen = workspace.own;
      // What the reader had set on the old photo, such as a dragged dot, means nothing on the new one.
      for (const [name, value] of Object.entries(this.told.settings)) {
        if (!this.told.controls.some((control) => control.name === name)) this.#settings[name] = value;
      }
      if (this.dataset.state !== "still") void this.#answer();
    }
  }

  #seen: string | null = workspace.own;

  #enter(state: LabState): void {
    this.dataset.state = state;
    this.#showPhoto();
    find(this.#root, ".panels").ariaBusy = String(state === "working");
  }

  #say(sentence: string): void {
    find(this.#root, ".error").textContent = sentence;
  }

  // The photo

  #offerPhotos(): void {
    const input = find<HTMLInputElement>(this.#root, ".file");
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      input.value = ""; // the same file again is a choice too
      if (file) void this.#take(file);
    });
    this.#press(".choose", () => input.click());
    this.#press(".forget", () => void workspace.forget());
    this.#press(".camera", () => void this.#openCamera());
    this.#press(".shutter", () => this.#shoot());
    this.#press(".stop", () => this.#closeCamera());
    this.#root.addEventListener("dragover", (event) => event.preventDefault());
    this.#root.addEventListener("drop", (event) => {
      event.preventDefault();
      const [file] = (event as DragEvent).dataTransfer?.files ?? [];
      if (file) void this.#take(file);
    });
  }

  async #take(file: Blob): Promise<void> {
    try {
      await workspace.take(file);
      void this.#start();
    } catch (error) {
      this.#say((error as Error).message);
    }
  }

  #showPhoto(): void {
    if (!this.told.wants_photo) return;
    const isStill = ["still", "loading"].includes(this.dataset.state ?? "still");
    const own = isStill ? "A sample photo until the lab starts, then yours." : "On your photo. It stays in this tab, until you close it.";
    find(this.#root, ".whose").textContent = workspace.own ? own : "On a sample photo.";
    find(this.#root, ".forget").hidden = !workspace.own;
  }

  async #openCamera(): Promise<void> {
    const dialog = find<HTMLDialogElement>(this.#root, "dialog");
    this.#camera = new AbortController();
    dialog.showModal();
    dialog.addEventListener("close", () => this.#camera?.abort(), { once: true });
    const fail = (why: string) => {
      this.#closeCamera();
      this.#say(why);
    };
    try {
      await openCamera(find<HTMLVideoElement>(this.#root, "video"), this.#camera.signal, fail);
    } catch (error) {
      fail((error as Error).message);
    }
  }

  async #shoot(): Promise<void> {
    try {
      const photo = await takePhoto(find<HTMLVideoElement>(this.#root, "video"));
      await this.#take(photo);
    } catch (error) {
      this.#say((error as Error).message);
    } finally {
      this.#closeCamera();
    }
  }

  #closeCamera(): void {
    this.#camera?.abort();
    find<HTMLDialogElement>(this.#root, "dialog").close();
  }

  #press(selector: string, action: () => void | Promise<void>): void {
    find(this.#root, selector).addEventListener("click", () => void action());
  }
}

type Slider = Extract<Control, { kind: "slider" }>;

const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const written = (slider: Slider, value: number) => {
  const digits = Math.max(0, Math.ceil(-Math.log10(slider.step) - 1e-9));
  return `${value.toFixed(digits)}${slider.unit}`;
};

const PHOTO_BAR = `
<div class="photo">
  <span class="whose"></span>
  <button type="button" class="choose">Choose your own</button>
  <button type="button" class="camera">Camera</button>
  <button type="button" class="forget" hidden>Forget it</button>
  <input class="file" type="file" accept="image/*" hidden data-testid="lab-photo" aria-label="Your photo">
</div>
<dialog aria-label="Camera">
  <video muted playsinline></video>
  <div><button type="button" class="shutter primary">Take the photo</button> <button type="button" class="stop">Cancel</button></div>
</dialog>`;

const template = ({ title, wants_photo }: LabDescription) => `
<section aria-label="Lab: ${escaped(title)}">
  <header><p class="kicker">Lab</p><h2>${escaped(title)}</h2></header>
  ${wants_photo ? PHOTO_BAR : ""}
  <div class="controls"></div>
  <div class="still-frame"><slot></slot><button type="button" class="start primary">Make it move</button></div>
  <load-progress></load-progress>
  <p class="error" role="alert"></p>
  <button type="button" class="retry" hidden>Try again</button>
  <div class="panels" aria-live="off" data-testid="panels"></div>
</section>`;

function escaped(words: string): string {
  const host = document.createElement("p");
  host.textContent = words;
  return host.innerHTML;
}
