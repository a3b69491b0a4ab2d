import { openCamera, takePhoto } from "./camera";
import { PhotoError, turnedInWords, type Embedded, type Face, type SlotName } from "./contract";
import { find, shadow, sheet } from "./element";
import { paint } from "./paint";
import type { Photo } from "./photos";
import base from "./styles/base.css?inline";
import css from "./styles/slot.css?inline";

const styles = [sheet(base), sheet(css)];
const list = new Intl.ListFormat("en-GB");

/** What the slot shows. `waiting`: the photo is open, but the engine is not ready; `done`: one of its faces has been embedded. */
export type SlotState = "empty" | "waiting" | "working" | "done" | "failed";

/** Events for what the reader did. A photo from the camera is a file like any other. */
export interface SlotEvents {
  "slot-files": CustomEvent<Blob[]>;
  "slot-choose": CustomEvent<number>;
  "slot-remove": CustomEvent<null>;
}

/**
 * `<photo-slot name="a">`: takes a photo (chosen, dropped or from the camera), shows it with its faces, and lets the reader choose one. It makes no
 * decisions: it reports what the reader did, and shows what it is given.
 */
export class PhotoSlot extends HTMLElement {
  #root!: ShadowRoot;
  #photo: Photo | null = null;
  #camera: AbortController | null = null;
  /** How the photo had to be turned, in words; "" for an upright photo. */
  #turned = "";

  get name(): SlotName {
    return this.getAttribute("name") === "b" ? "b" : "a";
  }

  /** The slot's name in sentences. */
  get label(): string {
    return `Photo ${this.name.toUpperCase()}`;
  }

  get state(): SlotState {
    return this.dataset.state as SlotState;
  }

  connectedCallback(): void {
    if (this.#root) return;
    this.#root = shadow(this, template(this.name, this.label), ...styles);
    const input = find<HTMLInputElement>(this.#root, "input");
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      input.value = ""; // so that choosing the same file again fires an event
      if (files.length) this.#tell("slot-files", files);
    });
    this.#press(".invitation", () => input.click());
    this.#press(".open-camera", () => this.#openCamera());
    this.#press(".shutter", () => this.#takePhoto());
    this.#press(".stop-camera", () => this.#closeCamera());
    this.#press(".remove", () => {
      this.#tell("slot-remove", null);
      input.focus(); // because the focused button was removed
    });
    this.#acceptDrops(find(this.#root, ".stage"));
    this.empty();
  }

  disconnectedCallback(): void {
    this.#closeCamera();
  }

  empty(): void {
    this.#closeCamera();
    this.#photo = null;
    find(this.#root, ".picture").replaceChildren(); // this removes the page's only copy of the photo
    this.#enter("empty");
  }

  show(photo: Photo): void {
    this.#closeCamera();
    this.#photo = photo;
    this.faces([], null);
    find(this.#root, ".picture").style.setProperty("--ratio", String(photo.width / photo.height));
  }

  busy(state: "waiting" | "working", words: string): void {
    this.#enter(state);
    find(this.#root, ".busy").textContent = words;
  }

  /** Draw each face as a button, and the landmarks of the chosen face. */
  faces(faces: Face[], chosen: number | null): void {
    const photo = this.#photo;
    if (!photo) return;
    const face = chosen === null ? undefined : faces[chosen];
    this.#turned = turnedInWords(faces);
    const buttons = faces.map((face, i) => this.#faceButton(face, i, faces.length, i === chosen, photo));
    const picture = find(this.#root, ".picture");
    const focused = picture.querySelector(".face:focus") !== null;
    if (photo.parentNode !== picture) picture.replaceChildren(photo);
    while (photo.nextSibling) photo.nextSibling.remove(); // keep the photo itself, because drawing it again is slow
    picture.append(...(face ? [landmarks(face, photo)] : []), ...buttons);
    if (focused && chosen !== null) buttons[chosen]?.focus(); // because the focused button was replaced
    photo.role = "img";
    photo.ariaLabel = faces.length ? `${this.label}: ${faces.length === 1 ? "one face" : `${faces.length} faces`} found` : this.label;
    find(this.#root, ".count").textContent =
      faces.length > 1 && chosen !== null ? `Face ${chosen + 1} of ${faces.length} is compared. To compare another face, click its box.` : "";
    find(this.#root, ".face-size").textContent = face ? sizeOf(face) : "";
  }

  /** Show the chip, which ends the work on this photo. */
  done({ chip, chip_size: size, poor }: Embedded): void {
    this.#enter("done");
    const quality = find(this.#root, ".quality");
    const told = [
      ...(this.#turned ? [`The photo ${this.#turned}.`] : []),
      ...(poor.length ? [`The face is ${list.format(poor)}, so the answer is more careful.`] : []),
    ];
    quality.hidden = !told.length;
    quality.textContent = told.join(" ");
    paint(find<HTMLCanvasElement>(this.#root, ".chip"), { width: size, height: size, rgb: chip });
    find(this.#root, ".chip-size").textContent = `${size} × ${size}`;
  }

  /** Show that the photo cannot be used. */
  fail(sentence: string): void {
    this.#closeCamera();
    this.#enter("failed");
    this.#warn(sentence);
  }

  /** Show that the reader's action did not work, and leave everything as it was. */
  #warn(sentence: string): void {
    find(this.#root, ".error").textContent = sentence;
  }

  #enter(state: SlotState): void {
    this.dataset.state = state;
    this.#warn("");
    find(this.#root, ".stage").ariaBusy = String(state === "working");
    find(this.#root, ".remove").hidden = state === "empty";
    find(this.#root, ".choose span").textContent = state === "empty" ? "Choose" : "Change";
  }

  #tell<Name extends keyof SlotEvents>(name: Name, detail: SlotEvents[Name]["detail"]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  #press(selector: string, action: () => void | Promise<void>): void {
    find(this.#root, selector).addEventListener("click", () => void action());
  }

  #acceptDrops(stage: HTMLElement): void {
    stage.addEventListener("dragover", (event) => {
      event.preventDefault();
      stage.classList.add("over");
    });
    stage.addEventListener("dragleave", () => stage.classList.remove("over"));
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      stage.classList.remove("over");
      const items = [...(event.dataTransfer?.items ?? [])];
      const files = [...(event.dataTransfer?.files ?? [])];
      if (items.some((item) => item.webkitGetAsEntry()?.isDirectory)) this.#warn("That is a folder. Open it, and drop one photo from it.");
      else if (!files.length) this.#warn("Only files can be dropped here. Save the picture first, then drop its file.");
      else this.#tell("slot-files", files);
    });
  }

  async #openCamera(): Promise<void> {
    this.#closeCamera();
    const { signal } = (this.#camera = new AbortController());
    this.#warn("");
    this.toggleAttribute("data-camera", true);
    const shutter = find<HTMLButtonElement>(this.#root, ".shutter");
    shutter.disabled = true; // there is nothing to take before the first frame
    try {
      await openCamera(find<HTMLVideoElement>(this.#root, "video"), signal, (why) => {
        this.#closeCamera();
        this.#warn(why);
      });
      shutter.disabled = false;
      shutter.focus();
    } catch (error) {
      if (signal.aborted) return;
      this.#closeCamera();
      this.#warn(error instanceof PhotoError ? error.message : "The camera did not start. Try again, or choose a file instead.");
    }
  }

  async #takePhoto(): Promise<void> {
    try {
      this.#tell("slot-files", [await takePhoto(find<HTMLVideoElement>(this.#root, "video"))]);
    } catch (error) {
      this.#closeCamera();
      this.#warn((error as Error).message);
    }
  }

  #closeCamera(): void {
    this.#camera?.abort();
    this.#camera = null;
    this.removeAttribute("data-camera");
  }

  #faceButton({ box: [x1, y1, x2, y2] }: Face, i: number, count: number, chosen: boolean, photo: Photo): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "face";
    button.dataset.testid = `face-${this.name}-${i}`;
    button.ariaPressed = String(chosen);
    button.ariaLabel = chosen ? `Face ${i + 1} of ${count}` : `Face ${i + 1} of ${count}: choose it`;
    button.style.left = `${(x1 / photo.width) * 100}%`;
    button.style.top = `${(y1 / photo.height) * 100}%`;
    button.style.width = `${((x2 - x1) / photo.width) * 100}%`;
    button.style.height = `${((y2 - y1) / photo.height) * 100}%`;
    button.addEventListener("click", () => {
      if (!chosen) this.#tell("slot-choose", i);
    });
    return button;
  }
}

const sizeOf = ({ box: [x1, y1, x2, y2] }: Face) => `${Math.round(x2 - x1)} × ${Math.round(y2 - y1)}`;

/** Five dots over the photo, in the photo's pixels. A line of zero length with round ends is a dot whose size does not depend on the scale. */
function landmarks({ landmarks }: Face, { width, height }: Photo): Element {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  const dots = landmarks.map(([x, y]) => `M${x} ${y}h0`).join("");
  svg.innerHTML = `<path class="rim" d="${dots}"/><path d="${dots}"/>`;
  return svg;
}

const template = (name: SlotName, label: string) => `
  <section aria-labelledby="title">
    <header>
      <h2 id="title">${label}</h2>
      <label class="button choose"><input type="file" accept="image/*" data-testid="photo-${name}" aria-labelledby="title choose-words"><span id="choose-words"></span></label>
      <button type="button" class="open-camera" data-testid="camera-${name}" aria-label="${label}: use the camera">Camera</button>
      <button type="button" class="remove" data-testid="remove-${name}" aria-label="${label}: remove">Remove</button>
    </header>
    <div class="stage" data-testid="drop-${name}">
      <div class="invitation">
        <svg viewBox="0 0 64 64" aria-hidden="true">
          <path d="M8 20V8h12M44 8h12v12M56 44v12H44M20 56H8V44"/><circle cx="32" cy="27" r="8"/><path d="M18 49c2-8 8-11 14-11s12 3 14 11"/>
        </svg>
        <strong>Drop a photo here</strong>
        <span>or click to choose one, or paste it</span>
      </div>
      <div class="picture"></div>
      <p class="busy"></p>
      <div class="viewfinder">
        <video muted playsinline aria-label="${label}: what the camera sees"></video>
        <div><button type="button" class="shutter primary">Take the photo</button><button type="button" class="stop-camera">Stop the camera</button></div>
      </div>
    </div>
    <p class="error" role="alert" data-testid="error-${name}"></p>
    <div class="aligned">
      <canvas class="chip" role="img" aria-label="${label}: the aligned chip" data-testid="chip-${name}"></canvas>
      <p><strong>The chip</strong>: this face (<span class="face-size"></span> pixels), turned upright and scaled to <span class="chip-size"></span>. <span class="count"></span></p>
      <p class="quality" data-testid="quality-${name}" hidden></p>
    </div>
  </section>`;
