import { liveQuery, type Subscription } from "dexie";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { turnedInWords, type EmbedderScale } from "../contract";
import { networkName } from "../network-names";
import { pixelsOf, type Photo } from "../photos";
import { chipUrl, reread } from "./chips";
import { fromDrop, fromInput, save, type Given, type Listed } from "./intake";
import { normalName } from "./names";
import { photosAmong } from "./sorting";
import type { ClassRow } from "./store";
import { Tool } from "./tool";

const MOST = 500;
const SMALLEST = 40; // pixels: side of the smallest face that is looked for
const REGROUP = 1500; // milliseconds between two groupings while photos arrive
const RANGE = [0.65, 1.25] as const; // ends of the slider, as parts of the limit at which it starts
const SHOWN = 24; // faces of a group that are shown before it is unfolded

interface AlbumFace {
  id: number;
  file: string;
  /** The number of the photo, because two photos can have one name. */
  photo: number;
  embedding: Float32Array;
  chip: string;
  poor: string[];
}

/**
 * What the photos gave so far; clearing the album makes a new one. `faceless`, `unread`, `turned`: photos, with what is wrong with them. `others`: other
 * files.
 */
interface Found {
  faces: AlbumFace[];
  files: number;
  faceless: string[];
  unread: string[];
  turned: string[];
  others: string[];
}

/** A person, as far as is known. `held`: the reader has changed this group, so no grouping changes it any more. */
interface Group {
  id: number;
  name: string;
  faces: AlbumFace[];
  held: boolean;
}

/** `<photo-album app="../app/">`: sorts photos by the people in them; the reader names and corrects the groups. Nothing is stored. */
export class PhotoAlbum extends Tool {
  #found = nothingFound();
  #groups: Group[] = [];
  #next = 1;
  #nextPhoto = 1;
  /** The page's default embedder, which reads all faces here, and its thresholds. */
  #embedder = "";
  #scale: EmbedderScale | undefined;
  /** The limit that the reader has chosen; undefined: the usual one. */
  #limit: number | undefined;
  #work: { job: AbortController; done: number; of: number } | undefined;
  #grouping: Promise<void> | undefined;
  #groupedAt = 0;
  #chosenGroups = new Set<number>();
  #chosenFaces = new Set<number>();
  #unfolded = new Set<number>();
  #classes: ClassRow[] = [];
  #watching: Subscription | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.guarded(async () => {
      const { store } = this;
      this.#watching = liveQuery(() => store.classes()).subscribe((classes) => {
        this.#classes = classes;
        this.requestUpdate();
      });
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#watching?.unsubscribe();
    this.#work?.job.abort();
  }

  async #add(listed: Listed[]): Promise<void> {
    if (this.#work) return this.warn("Something is still running. Wait until it is done, or stop it.");
    const found = this.#found;
    const work = (this.#work = { job: new AbortController(), done: 0, of: listed.length });
    const { signal } = work.job;
    this.warn("");
    await this.guarded(async () => {
      const taken = await this.#photosAmong(found, listed);
      work.of = taken.length;
      for (const [{ file, folder }, photo] of this.opened(taken)) {
        signal.throwIfAborted();
        const name = folder ? `${folder}/${file.name}` : file.name;
        await this.orLeaveOut(
          () => this.#look(found, name, photo, signal),
          (why) => found.unread.push(`${name}: ${why}`),
        );
        work.done++;
        found.files++;
        this.requestUpdate();
        if (performance.now() - this.#groupedAt > REGROUP) void this.guarded(() => this.#regroup());
      }
    });
    this.#work = undefined;
    if (found !== this.#found) return this.requestUpdate(); // the album was cleared in the meantime
    await this.guarded(() => this.#regroup());
    if (!work.of) return;
    this.say(work.done === work.of ? "All photos are done." : `Stopped after ${work.done} of ${work.of} photos. The faces found so far stay.`);
  }

  /** Take as many photos as there is room for. */
  async #photosAmong(found: Found, listed: Listed[]): Promise<Given[]> {
    const { photos: given, remarks } = await photosAmong(this.engine, listed);
    found.others.push(...remarks.map(({ words }) => words));
    const room = MOST - found.files;
    if (!given.length) this.warn("There were no photos in it. Choose JPEG, PNG or WebP files.");
    if (given.length > room) this.warn(`An album holds ${MOST} photos, so only the first ${room} of these ${given.length} are used.`);
    return given.slice(0, room);
  }

  async #look(found: Found, file: string, photo: Promise<Photo>, signal: AbortSignal): Promise<void> {
    const pixels = pixelsOf(await photo);
    this.#embedder ||= await this.embedderOf(undefined);
    const { faces } = await this.engine.look(pixels, SMALLEST, this.#embedder, signal);
    if (!faces.length) found.faceless.push(file);
    const turned = turnedInWords(faces.map(({ face }) => face));
    if (turned) found.turned.push(`${file} ${turned}`);
    const number = this.#nextPhoto++;
    for (const face of faces) {
      found.faces.push({ id: this.#next++, file, photo: number, embedding: face.embedding, chip: chipUrl(face), poor: face.poor });
    }
  }

  /** Group all faces that the reader has not assigned, one grouping at a time. */
  async #regroup(): Promise<void> {
    while (this.#grouping) await this.#grouping;
    this.#grouping = this.#group(this.#found, this.#limit).finally(() => (this.#grouping = undefined));
    await this.#grouping;
  }

  async #group(found: Found, limit: number | undefined): Promise<void> {
    const placed = new Set(this.#groups.filter((group) => group.held).flatMap(({ faces }) => faces));
    const free = found.faces.filter((face) => !placed.has(face));
    const parts = free.length
      ? await this.engine.group(free.map(({ embedding }) => embedding), free.map(({ photo }) => photo), limit, this.#embedder)
      : [];
    if (free.length) this.#scale ??= await this.engine.scale(this.#embedder);
    if (found !== this.#found) return; // the album was cleared in the meantime
    // Groups that the reader has changed in the meantime stay, and their faces are put nowhere else.
    const held = this.#groups.filter((group) => group.held);
    const placedNow = new Set(held.flatMap(({ faces }) => faces));
    const groups = parts.map((members) => members.map((i) => free[i]!).filter((face) => !placedNow.has(face)));
    this.#groups = [
      ...held,
      ...groups.filter((faces) => faces.length).map((faces) => ({ id: faces[0]!.id, name: "", faces, held: false })),
    ].sort((a, b) => b.faces.length - a.faces.length);
    this.#groupedAt = performance.now();
    this.requestUpdate();
  }

  // Changes by the reader

  #name(group: Group, name: string): void {
    group.name = normalName(name);
    group.held = true;
    this.requestUpdate();
  }

  #merge(): void {
    const chosen = this.#groups.filter(({ id }) => this.#chosenGroups.has(id));
    const [first] = chosen;
    if (!first) return;
    const merged = { ...first, name: chosen.find(({ name }) => name)?.name ?? "", faces: chosen.flatMap(({ faces }) => faces), held: true };
    this.#groups = [merged, ...this.#groups.filter((group) => !chosen.includes(group))].sort((a, b) => b.faces.length - a.faces.length);
    this.#chosenGroups.clear();
    this.say(`${chosen.length} groups were merged.`);
  }

  /** Move the selected faces out of their groups into a new one. */
  #split(): void {
    const out = this.#found.faces.filter(({ id }) => this.#chosenFaces.has(id));
    const touched = this.#groups.map((group) => {
      const rest = group.faces.filter((face) => !out.includes(face));
      return rest.length === group.faces.length ? group : { ...group, id: rest[0]?.id ?? group.id, faces: rest, held: true };
    });
    this.#groups = [{ id: this.#next++, name: "", faces: out, held: true }, ...touched.filter(({ faces }) => faces.length)];
    this.#chosenFaces.clear();
    this.say(`${faces(out.length)} moved into a new group.`);
  }

  #addToClass({ name, faces: all }: Group, classId: string): void {
    const target = this.#classes.find(({ id }) => id === classId);
    const read = this.#embedder;
    void this.guarded(async () => {
      if (!target || !name) return this.warn("Give the group a name first. The pupil gets that name.");
      const embedder = await this.embedderOf(target);
      const other = embedder !== read;
      const photos = [];
      this.say(other ? `Reading the faces again with ${networkName(embedder)}, the network of the class ${target.name}.` : "");
      const good = all.filter(({ poor }) => !poor.length);
      for (const { file, embedding, chip } of good) {
        const numbers = other ? await reread(this.engine, { chip, embedder: read }, embedder) : embedding;
        photos.push({ file, embedding: [...numbers], chip });
      }
      const { added, elsewhere } = await this.store.take(target, { embedder, people: [{ name, photos }] });
      const known = good.length - added - elsewhere.length;
      const rest = [
        known ? `${faces(known)} of them ${known === 1 ? "was" : "were"} enrolled already` : "",
        good.length < all.length ? "poor photos of faces were left out" : "",
      ].filter(Boolean);
      this.say(`${[`${name} is in the class ${target.name} with ${faces(added)} of this album`, ...rest].join("; ")}.`);
      this.warn(elsewhere.length ? `${elsewhere.join("; ")}.` : "");
    });
  }

  #clear(): void {
    this.#work?.job.abort();
    [this.#found, this.#groups] = [nothingFound(), []];
    for (const chosen of [this.#chosenFaces, this.#chosenGroups, this.#unfolded]) chosen.clear();
    this.say("The album is cleared.");
  }

  #export(): void {
    const told = this.#groups.map(({ name, faces }, i) => ({ name: name || `person ${i + 1}`, files: [...new Set(faces.map(({ file }) => file))].sort() }));
    save("album.json", JSON.stringify({ kind: "facelab album", format: 1, people: told, without_a_face: this.#found.faceless }, null, 1), "application/json");
  }

  // Views

  protected override render(): TemplateResult {
    const work = this.#work;
    return html`${this.engineBar()}
    <section aria-label="Photos">
      <div class="row">
        <label class="button primary file">Choose photos<input type="file" multiple accept="image/*" data-testid="album-photos" @change=${(event: Event) => void this.#add(fromInput(event.target as HTMLInputElement))} /></label>
        <label class="button file">Choose a folder<input type="file" webkitdirectory multiple data-testid="album-folder" @change=${(event: Event) => void this.#add(fromInput(event.target as HTMLInputElement))} /></label>
        ${this.#found.files ? html`<button type="button" class="danger" data-testid="album-clear" @click=${() => this.#clear()}>Clear the album</button>` : nothing}
      </div>
      <div class="drop" data-testid="drop-album" @dragover=${(event: DragEvent) => event.preventDefault()} @drop=${(event: DragEvent) => {
        event.preventDefault();
        void fromDrop(event.dataTransfer).then((listed) => this.#add(listed));
      }}>Drop photos or folders here, up to ${MOST} photos.</div>
      ${work
        ? html`<div class="work" data-testid="work"><progress max=${work.of} .value=${work.done} aria-label="Looking for people"></progress>
            <span>${work.done} of ${work.of} photos, ${faces(this.#found.faces.length)}</span>
            <button type="button" data-testid="stop" @click=${() => work.job.abort()}>Stop</button></div>`
        : nothing}
      ${this.#photosAside("without a face", this.#found.faceless)} ${this.#photosAside("cannot be used", this.#found.unread)}
      ${this.#photosAside("not upright", this.#found.turned)}
      ${this.#aside(`${this.#found.others.length === 1 ? "one remark" : `${this.#found.others.length} remarks`} on other files`, this.#found.others)}
    </section>
    ${this.#groups.length ? this.#groupsView() : nothing}
    <p class="caption">An album is not stored. It stays in this page until you clear it or close the page. Only faces that you add to a class are stored.</p>`;
  }

  #photosAside(what: string, names: string[]) {
    return this.#aside(`${photos(names.length)} ${what}`, names);
  }

  #aside(summary: string, names: string[]) {
    if (!names.length) return nothing;
    return html`<details class="outcomes"><summary>${summary}</summary><ul>${names.map((name) => html`<li>${name}</li>`)}</ul></details>`;
  }

  #groupsView() {
    const usual = this.#scale!.group_limit;
    const limit = this.#limit ?? usual;
    const [strictest, laxest] = RANGE.map((part) => (part * usual).toFixed(2));
    return html`<section aria-labelledby="groups">
      <h2 id="groups" data-testid="album-count">${this.#groups.length} ${this.#groups.length === 1 ? "person" : "people"} in ${photos(this.#found.files)}</h2>
      <div class="row">
        <label class="field">How alike the faces of one person must be
          <input type="range" min=${strictest} max=${laxest} step="0.01" .value=${String(limit)} data-testid="album-limit" @change=${(event: Event) => {
            this.#limit = Number((event.target as HTMLInputElement).value);
            void this.guarded(() => this.#regroup());
          }} /></label>
        <span class="muted">mean distance below ${limit.toFixed(2)}; groups that you named or changed stay as they are</span>
      </div>
      <div class="row bar">
        <button type="button" data-testid="merge" ?disabled=${this.#chosenGroups.size < 2} @click=${() => this.#merge()}>Merge the selected groups</button>
        <button type="button" data-testid="split" ?disabled=${!this.#chosenFaces.size} @click=${() => this.#split()}>Move the selected faces to a new group</button>
        <button type="button" data-testid="album-export" @click=${() => this.#export()}>Save as JSON</button>
      </div>
      <ul class="groups" data-testid="groups">${repeat(this.#groups, ({ id }) => id, (group) => this.#groupView(group))}</ul>
    </section>`;
  }

  #groupView(group: Group) {
    const shown = this.#unfolded.has(group.id) ? group.faces : group.faces.slice(0, SHOWN);
    const number = this.#groups.indexOf(group) + 1;
    return html`<li data-testid="group" data-name=${group.name} data-faces=${group.faces.length}>
      <div class="row">
        <label class="tick"><input type="checkbox" data-testid="tick" .checked=${this.#chosenGroups.has(group.id)} aria-label="Tick group ${number}" @change=${() => {
          toggle(this.#chosenGroups, group.id);
          this.requestUpdate();
        }} /></label>
        <input class="name" aria-label="Name of group ${number}" placeholder="Person ${number}" maxlength="80" autocomplete="off" data-testid="group-name" .value=${group.name} @change=${(event: Event) => this.#name(group, (event.target as HTMLInputElement).value)} />
        <span class="muted">${faces(group.faces.length)} in ${photos(new Set(group.faces.map(({ file }) => file)).size)}</span>
        ${this.#classes.length
          ? html`<select aria-label="Add group ${number} to a class" data-testid="to-class" @change=${(event: Event) => {
              const select = event.target as HTMLSelectElement;
              this.#addToClass(group, select.value);
              select.value = "";
            }}><option value="" selected>Add to a class</option>${this.#classes.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}</select>`
          : nothing}
      </div>
      <div class="chips">
        ${repeat(shown, ({ id }) => id, (face) => html`<button type="button" class="chip" title=${face.file} aria-label="A face of ${face.file}" aria-pressed=${this.#chosenFaces.has(face.id)} data-testid="album-face" @click=${() => {
          toggle(this.#chosenFaces, face.id);
          this.requestUpdate();
        }}><img src=${face.chip} alt="" loading="lazy" /></button>`)}
        ${shown.length < group.faces.length
          ? html`<button type="button" class="link" @click=${() => {
              this.#unfolded.add(group.id);
              this.requestUpdate();
            }}>and ${group.faces.length - shown.length} more</button>`
          : nothing}
      </div>
    </li>`;
  }
}

const nothingFound = (): Found => ({ faces: [], files: 0, faceless: [], unread: [], turned: [], others: [] });
const photos = (count: number) => `${count} ${count === 1 ? "photo" : "photos"}`;
const faces = (count: number) => (count === 1 ? "one face" : `${count} faces`);

function toggle(set: Set<number>, id: number): void {
  if (!set.delete(id)) set.add(id);
}
