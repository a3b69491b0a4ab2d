import { html, nothing, type TemplateResult } from "lit";

import { openCamera } from "../camera";
import type { Face } from "../contract";
import { joined } from "../engine/client";
import { networkName } from "../network-names";
import type { ClassRow, Snapshot } from "./store";
import { Tool } from "./tool";

const WIDTH = 480; // pixels: width of the frames that are processed, enough for faces a few metres away
const FRESH = 1500; // milliseconds for which a face that stays in place keeps its name
const SAME_PLACE = 0.4; // intersection over union with the box before

interface Followed {
  face: Face;
  label: string;
  tone: "sure" | "unsure" | "unknown";
  named: number;
}

/** `<live-camera app="../app/">`: boxes over the camera's picture, with names from a class. It stops when the page is hidden. */
export class LiveCamera extends Tool {
  #classes: ClassRow[] = [];
  #classId = "";
  /** The page's default embedder. */
  #own = "";
  #job: AbortController | undefined;
  #followed: Followed[] = [];
  #size = { width: 4, height: 3 };
  #rate = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.guarded(async () => {
      this.#classes = await this.store.classes();
      this.#classId ||= this.#classes[0]?.id ?? "";
      this.requestUpdate();
      this.#own = await this.embedderOf(undefined);
      this.requestUpdate();
    });
    document.addEventListener("visibilitychange", this.#hidden);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#hidden);
    this.#stop("");
  }

  #hidden = (): void => {
    if (document.hidden && this.#job) this.#stop("The camera stopped because this page was hidden.");
  };

  #stop(words: string): void {
    this.#job?.abort();
    this.#job = undefined;
    this.#followed = [];
    this.#rate = 0;
    this.say(words);
  }

  async #start(): Promise<void> {
    const job = (this.#job = new AbortController());
    const classId = this.#classId;
    this.warn("");
    this.say("");
    await this.guarded(async () => {
      await this.updateComplete;
      const video = this.renderRoot.querySelector("video")!;
      await openCamera(video, job.signal, (why) => {
        this.#stop("");
        this.warn(why);
      });
      const known = classId ? await this.store.snapshot(classId, "") : undefined;
      const photos = known?.photos.filter((photo) => this.isComparable(photo)) ?? [];
      const embedder = await this.embedderOf(known?.row);
      await this.engine.enrol(photos.map(({ personId }) => personId), joined(photos.map(({ embedding }) => embedding)), embedder);
      while (!job.signal.aborted) await this.#look(video, known, embedder, job.signal);
    });
    if (this.#job === job) this.#stop(this.status);
  }

  async #look(video: HTMLVideoElement, known: Snapshot | undefined, embedder: string, signal: AbortSignal): Promise<void> {
    const begun = performance.now();
    const width = Math.min(WIDTH, video.videoWidth);
    const height = Math.round((width * video.videoHeight) / video.videoWidth);
    const canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext("2d", { willReadFrequently: true })!;
    pen.drawImage(video, 0, 0, width, height);
    const photo = this.engine.open({ width, height, rgba: pen.getImageData(0, 0, width, height).data.buffer });
    try {
      const { faces } = await this.engine.analyse(photo, signal);
      const followed: Followed[] = [];
      for (const face of faces) {
        const before = this.#followed.find((one) => overlap(one.face, face) > SAME_PLACE && begun - one.named < FRESH);
        followed.push(before ? { ...before, face } : await this.#name(photo, face, known, embedder, signal));
      }
      this.#followed = followed;
      this.#size = { width, height };
    } finally {
      this.engine.close(photo);
    }
    const rate = 1000 / (performance.now() - begun);
    this.#rate = this.#rate ? 0.8 * this.#rate + 0.2 * rate : rate;
    this.requestUpdate();
    await new Promise((resolve) => requestAnimationFrame(resolve)); // let the page draw first
  }

  async #name(photo: string, face: Face, known: Snapshot | undefined, embedder: string, signal: AbortSignal): Promise<Followed> {
    const { embedding } = await this.engine.embed(photo, face, signal, embedder);
    const [answer] = await this.engine.who([embedding], "template");
    const name = known?.people.find(({ id }) => id === answer?.key)?.name;
    const label = !name ? "?" : answer!.answer === "sure" ? name : `${name}?`;
    return { face, label, tone: name ? answer!.answer : "unknown", named: performance.now() };
  }

  protected override render(): TemplateResult {
    return html`${this.engineBar()}
    <section aria-label="Live camera">
      <div class="row">
        ${this.#classes.length
          ? html`<label class="field">Names out of the class
              <select data-testid="live-class" ?disabled=${Boolean(this.#job)} @change=${(event: Event) => {
                this.#classId = (event.target as HTMLSelectElement).value;
                this.requestUpdate();
              }}>
                ${this.#classes.map(({ id, name }) => html`<option value=${id} ?selected=${id === this.#classId}>${name}</option>`)}
              </select></label>`
          : html`<p>There is no class yet, so the camera finds faces but names nobody. <a href="../roll-call/">Make a class</a>.</p>`}
        ${this.#job
          ? html`<button type="button" data-testid="live-stop" @click=${() => this.#stop("The camera is off.")}>Stop the camera</button>`
          : html`<button type="button" class="primary" data-testid="live-start" @click=${() => void this.#start()}>Start the camera</button>`}
      </div>
      ${this.#embedderNote()}
      ${this.#job
        ? html`<div class="group live" style="aspect-ratio: ${this.#size.width} / ${this.#size.height}">
              <video muted playsinline aria-label="What the camera sees" data-testid="live-video"></video>
              ${this.#followed.map(({ face, label, tone }) => this.#box(face, label, tone))}
            </div>
            <p class="caption" data-testid="live-rate">${this.#followed.length} ${this.#followed.length === 1 ? "face" : "faces"}; ${this.#rate.toFixed(1)} frames a second</p>`
        : nothing}
      <p class="caption">Each frame is processed in this page and forgotten at once. The camera stops when you stop it, and when this page is hidden.</p>
    </section>`;
  }

  #embedderNote() {
    const { embedder } = this.#classes.find(({ id }) => id === this.#classId) ?? {};
    if (!this.#own || !embedder || embedder === this.#own) return nothing;
    return html`<p data-testid="class-embedder">This class was enrolled with ${networkName(embedder)}, and still uses it. The <a href="../roll-call/">roll call</a> can read its faces again with ${networkName(this.#own)}.</p>`;
  }

  #box({ box: [x1, y1, x2, y2] }: Face, label: string, tone: string) {
    const { width, height } = this.#size;
    const percent = (part: number, whole: number) => `${(part / whole) * 100}%`;
    // Mirrored, like the video.
    const place = `left: ${percent(width - x2, width)}; top: ${percent(y1, height)}; width: ${percent(x2 - x1, width)}; height: ${percent(y2 - y1, height)}`;
    return html`<div class="face ${tone}" style=${place} data-testid="live-face"><span>${label}</span></div>`;
  }
}

function overlap({ box: [ax1, ay1, ax2, ay2] }: Face, { box: [bx1, by1, bx2, by2] }: Face): number {
  const width = Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1));
  const height = Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1));
  const shared = width * height;
  return shared / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared);
}
