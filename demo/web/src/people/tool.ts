/** What the tools of this folder share: the engine with its progress and failures, and a status line. */

import { LitElement, html, unsafeCSS, type CSSResultGroup, type PropertyValues, type TemplateResult } from "lit";

import type { EmbedderEntry, Manifest } from "../contract";
import { engineAt, type EngineClient } from "../engine/client";
import { decode, type Photo } from "../photos";
import type { LoadProgress } from "../progress";
import { faultOf } from "./faces";
import type { Given } from "./intake";
import { Store, type ClassRow, type Enrolled } from "./store";
import base from "../styles/base.css?inline";
import css from "../styles/people.css?inline";

export abstract class Tool extends LitElement {
  static override styles: CSSResultGroup = [unsafeCSS(base), unsafeCSS(css)];

  protected status = "";
  protected warning = "";
  /** What is wrong with the browser's storage, as long as the problem lasts. */
  #trouble = "";
  protected engine!: EngineClient;
  /** models.json, once it has arrived. */
  protected manifest: Manifest | undefined;
  /** The store; always present inside `guarded`. */
  protected store!: Store;
  readonly #opened = Store.open({
    trouble: (sentence) => {
      this.#trouble = sentence;
      this.requestUpdate();
    },
    dimensionsOf: (name) => embedderIn(this.manifest, name)?.dimensions,
  }).then((store) => void (this.store = store));
  #listening: AbortController | null = null;

  protected get app(): URL {
    return new URL(this.getAttribute("app") ?? "./app/", document.baseURI);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.engine = engineAt(this.app);
    const { signal } = (this.#listening = new AbortController());
    this.engine.addEventListener("change", () => this.#engineChanged(), { signal });
    addEventListener("beforeunload", (event) => this.store && !this.store.lasting && this.unsaved() && event.preventDefault(), { signal });
    this.#engineChanged();
    void this.engine.manifest.then(
      (manifest) => {
        this.manifest = manifest;
        this.requestUpdate();
      },
      () => {}, // later uses ask again and report the error
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#listening?.abort();
  }

  /** The name of the network that a class uses: the page's default until the class has a face. */
  protected async embedderOf(row: ClassRow | undefined): Promise<string> {
    this.manifest = await this.engine.manifest;
    return row?.embedder ?? this.manifest.embedder.name;
  }

  /** Checks stored embeddings, because earlier versions of this page stored numbers that are not an embedding. */
  protected isComparable({ embedding, embedder }: Pick<Enrolled, "embedding" | "embedder">): boolean {
    return !faultOf(embedding, embedderIn(this.manifest, embedder)?.dimensions ?? embedding.length);
  }

  /** Whether closing the page would lose data, because the browser stores nothing. */
  protected unsaved(): boolean {
    return false;
  }

  /** The engine has started again and knows nothing of what it was told. */
  protected engineRestarted(): void {}

  protected say(words: string): void {
    this.status = words;
    this.requestUpdate();
  }

  protected warn(words: string): void {
    this.warning = words;
    this.requestUpdate();
  }

  /** Do something that may fail, once the store is open (the buttons appear earlier). Errors become a sentence for the reader. */
  protected async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await this.#opened;
      await work();
    } catch (error) {
      const sentence = sentenceFor(error);
      if (sentence) this.warn(sentence);
    }
  }

  /** Do something with one photo. If the photo cannot be used, leave it out and call `say` with the reason. Any other error ends the work. */
  protected async orLeaveOut(work: () => Promise<void>, say: (why: string) => void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isPhotoError(error)) throw error;
      say(error.message);
    }
  }

  /** Each file with its photo, or the reason why it has none. The next photo is opened while the one before is processed. */
  protected *opened(given: Given[]): Generator<[Given, Promise<Photo>]> {
    const open = (each: Given | undefined, after: Promise<unknown>) => {
      const photo = each && after.then(async () => decode(each.file, (await this.engine.manifest).photo.max_side));
      photo?.catch(() => {}); // the error is handled when it is this photo's turn
      return photo;
    };
    let next = open(given[0], Promise.resolve());
    for (const [i, each] of given.entries()) {
      const photo = next!;
      next = open(given[i + 1], photo.catch(() => {}));
      yield [each, photo];
    }
  }

  protected engineBar(): TemplateResult {
    const { state } = this.engine;
    return html`<div class="engine">
      <load-progress ?hidden=${state.phase === "failed"}></load-progress>
      ${state.phase === "failed"
        ? html`<div class="failure">
            <p role="alert" data-testid="failure">${state.message}</p>
            <button type="button" class="primary" data-testid="retry" @click=${() => this.engine.restart()}>Try again</button>
          </div>`
        : ""}
      ${this.#trouble ? html`<p class="trouble" role="alert" data-testid="storage">${this.#trouble}</p>` : ""}
      <p class="status" role="status" data-testid="status">${this.status}</p>
      <p class="warning" role="alert" data-testid="warning">${this.warning}</p>
    </div>`;
  }

  protected override updated(_changed: PropertyValues): void {
    const { state } = this.engine;
    const bar = this.renderRoot.querySelector<LoadProgress>("load-progress");
    if (!bar) return;
    if (state.phase === "loading") bar.show(state.progress.loaded, state.progress.total, state.progress.what);
    if (state.phase === "ready") bar.finish(state, state.seconds);
  }

  #engineChanged(): void {
    if (this.engine.state.phase === "loading" && this.dataset.engine !== "loading") this.engineRestarted();
    this.dataset.engine = this.engine.state.phase;
    this.requestUpdate();
  }
}

/** An error as a sentence for the reader; null if the work was aborted. */
export function sentenceFor(error: unknown): string | null {
  if (error instanceof DOMException && error.name === "AbortError") return null;
  if (error instanceof Error && ["PhotoError", "EngineError", "ConflictError"].includes(error.name)) return error.message;
  if (error instanceof Error && error.name === "DatabaseClosedError") return "This page has lost its storage. Reload it: everything stored is still there.";
  if (isFull(error)) {
    return "The browser’s storage for this page is full. The last addition was not stored, but everything before it was. Delete old days, or save the class as a file and delete it here. Then try again.";
  }
  console.error(error);
  return "Something unexpected went wrong. Reload the page: everything stored so far is still there.";
}

/** The embedder of a name in models.json. */
export function embedderIn(manifest: Manifest | undefined, name: string): EmbedderEntry | undefined {
  return manifest?.embedder.name === name ? manifest.embedder : manifest?.embedders?.[name]?.embedder;
}

/** Compares by name, because the worker's errors arrive as plain Errors with that name. */
export const isPhotoError = (error: unknown): error is Error => error instanceof Error && error.name === "PhotoError";

function isFull(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Object; e = (e as { inner?: unknown; cause?: unknown }).inner) {
    if ((e as { name?: string }).name === "QuotaExceededError") return true;
  }
  return false;
}
