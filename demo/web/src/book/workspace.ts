/** The workspace that all labs and cells of a page share: the samples, and the reader's photo, which stays for the visit. */

import { EngineError, PhotoError, type Outcome, type Panel, type Settings } from "../contract";
import { engineAt, type EngineClient } from "../engine/client";
import { fetched } from "../fetched";
import { decode, pixelsOf, type Photo } from "../photos";
import samples from "../samples.json";

const KEY = "facelab-photo";
const OWN = "yours";
/** Longest side of the reader's photo, in pixels: enough for the labs, and small enough for the browser to store. */
const LONGEST_SIDE = 1024;

/** book.js and its chunks lie in app/web/. */
const APP = new URL("../", import.meta.url);

/** Fires `change` when the reader's photo or the engine's state changes. */
class Workspace extends EventTarget {
  #engine: EngineClient | undefined;
  #laid: Promise<void> | undefined;

  /** The engine, which starts when it is first asked for. */
  get engine(): EngineClient {
    if (!this.#engine) {
      this.#engine = engineAt(APP);
      this.#engine.addEventListener("change", () => {
        if (this.#engine?.state.phase === "loading") this.#laid = undefined; // a new worker has an empty workspace
        this.#tell();
      });
    }
    return this.#engine;
  }

  get started(): boolean {
    return this.#engine !== undefined;
  }

  /** A data URL: a copy in this tab's session storage, which ends when the tab is closed or the reader removes the photo. */
  get own(): string | null {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null; // storage is forbidden here
    }
  }

  async lab(kind: string, settings: Settings, signal: AbortSignal): Promise<Panel[]> {
    await this.#lay();
    return this.engine.lab(kind, settings, signal);
  }

  /** Run a cell. If its code ends or breaks Python, the engine has started again by the time this rejects. */
  async runCell(source: string, signal: AbortSignal): Promise<Outcome> {
    if (this.engine.state.phase === "failed") this.engine.restart();
    await this.engine.alone(); // a reader's code may run for ever, and may change anything
    await this.#lay();
    return this.engine.runCell(source, signal).catch((error: unknown) => {
      if (this.engine.state.phase === "failed") this.interrupt();
      throw error;
    });
  }

  /**
   * Use a photo of the reader in this and all other chapters during the visit.
   *
   * @throws PhotoError when it cannot be read, or the browser cannot store it.
   */
  async take(file: Blob): Promise<void> {
    const photo = await decode(file, LONGEST_SIDE);
    try {
      sessionStorage.setItem(KEY, photo.toDataURL("image/jpeg", 0.95));
    } catch {
      throw new PhotoError("The browser could not store this photo. Allow storage for this page, or use a smaller photo.");
    }
    if (this.#laid) await this.engine.put(OWN, pixelsOf(await this.#own(this.own!)));
    this.#tell();
  }

  /** Remove the reader's photo from the engine and from storage, and return to the samples. */
  async forget(): Promise<void> {
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      return; // storage is forbidden here, so nothing is stored
    }
    if (this.#laid) await this.engine.remove(OWN);
    this.#tell();
  }

  /** Stop an endless cell. All results of cells are lost with the worker. */
  interrupt(): void {
    this.engine.interrupt();
  }

  /** Once in each life of the engine: lay out the samples and the reader's photo. */
  #lay(): Promise<void> {
    this.#laid ??= this.#put().catch((error: unknown) => {
      this.#laid = undefined;
      throw error;
    });
    return this.#laid;
  }

  async #put(): Promise<void> {
    const folder = new URL("samples/", APP);
    const { photo } = await this.engine.manifest;
    await Promise.all(
      samples.photos.map(async (file) => {
        return [file, await decode(await asked(new URL(file, folder)), photo.max_side)] as const;
      }),
    ).then(async (decoded) => {
      for (const [name, sample] of decoded) await this.engine.put(name, pixelsOf(sample)); // in their order, because the first is the default
    });
    const own = this.own;
    if (own) await this.engine.put(OWN, pixelsOf(await this.#own(own)));
  }

  async #own(url: string): Promise<Photo> {
    return decode(await (await fetch(url)).blob(), LONGEST_SIDE);
  }

  #tell(): void {
    this.dispatchEvent(new Event("change"));
  }
}

async function asked(url: URL): Promise<Blob> {
  const file = await fetched(url);
  if (!file) throw new EngineError("The sample photos did not arrive. Check the connection, then try again.");
  return file;
}

export const workspace = new Workspace();
