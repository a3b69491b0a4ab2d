import { liveQuery, type Subscription } from "dexie";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { openCamera, takePhoto } from "../camera";
import { PhotoError, turnedInWords, type ClassSummary, type Gallery, type LayoutQuestion, type Look, type Rule, type SeenFace } from "../contract";
import { joined } from "../engine/client";
import { fetched } from "../fetched";
import { networkName } from "../network-names";
import { newId } from "../new-id";
import { bytesOf, pixelsOf, type Photo } from "../photos";
import { chipUrl, reread } from "./chips";
import { faceKey } from "./faces";
import { groupPicture, labelOf } from "./group-picture";
import { histogram } from "./histogram";
import { fromDrop, fromInput, hashOf, save, type Given, type Listed } from "./intake";
import { normalName } from "./names";
import { asCsv, asJson, countOf, print, rollOf, type Entry } from "./roll";
import { isQuestion, photosAmong, portraitsAmong, questionView, type Remark } from "./sorting";
import { ConflictError, type Bin, type ClassRow, type Day, type Enrolled, type NewPhoto, type Person, type Sighting, type Snapshot } from "./store";
import { Tool, embedderIn, isPhotoError, sentenceFor } from "./tool";

/** Sides of the smallest face looked for, in pixels: faces of portraits are large, those of a class twelve metres away are small. */
const SMALLEST = { portrait: 40, group: 24 };
const UNDO_SECONDS = 20;
const CLOCK = 30_000; // milliseconds between two checks of the date
const PICTURES = 12; // of the day's group photos stay in memory, to be shown

const RULES: Record<Rule, string> = {
  template: "nearest mean of a pupil’s photos (usual)",
  nearest: "nearest single photo",
  mean: "mean distance to a pupil’s photos",
  original: "the original system’s rule",
};

/** What became of one photo of an enrolment. `spare`: its face, if it can be enrolled anyway. */
interface Outcome {
  file: string;
  name: string;
  sentence: string;
  fate: "enrolled" | "known" | "another’s" | "left out";
  spare?: Omit<NewPhoto, "file">;
}

/** What became of the photos of one enrolment. `names`: all people who should be among them. `remarks`: on other files and on folders. */
interface Outcomes {
  classId: string;
  names: string[];
  remarks: Remark[];
  all: Outcome[];
}

/** `<roll-call app="../app/">`: a class with its pupils, the day's group photos, and the roll. */
export class RollCall extends Tool {
  #classes: ClassRow[] = [];
  /** The class and the day in view. Work stays with the class and the day in which it began. */
  #classId = "";
  #date = today();
  /** Whether the day in view follows the clock past midnight. It does until the teacher chooses another day. */
  #followsClock = true;
  #clock: ReturnType<typeof setInterval> | undefined;
  #class: Snapshot | undefined;
  #watching: Subscription[] = [];
  /** The class that the engine knows: its photos in their order, and their network. */
  #enrolled = "";
  /** Questions to the engine, one after another, because it knows one class at a time. */
  #asking: Promise<unknown> = Promise.resolve();
  /** Facts about the class in view. `ids`: its photos that the engine knows, in their order. */
  #told: (ClassSummary & { ids: string[] }) | undefined;
  /** By photo: the class, the rule and the teacher's decisions with which its faces were last identified. */
  #asked = new Map<string, string>();
  #likely = new Map<string, [key: string, distance: number][]>();
  /** For each face, another pupil who is just as near. */
  #runnersUp = new Map<string, string | null>();
  /** The latest photos of this visit, as addresses of compressed copies. None is stored. */
  #pictures = new Map<string, string>();
  #outcomes: Outcomes | undefined;
  /** A question to the teacher: which pupils do these files show? */
  #question: { asked: LayoutQuestion; listed: Listed[]; into: Snapshot } | undefined;
  #work: { job: AbortController; done: number; of: number; what: string } | undefined;
  /** How many photos of the class in view have no chip, so that the teacher has to decide whether to leave them out. */
  #unreadable = 0;
  /** Deletions that can be undone, the latest last. */
  #bins: Bin[] = [];
  /** The face that the dialogue is about, by its id, because its answer may change while the dialogue is open. */
  #faceId = "";
  #camera: { job: AbortController; name: string } | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(this.#followClock, CLOCK);
    document.addEventListener("visibilitychange", this.#followClock);
    void this.guarded(async () => {
      const { store } = this;
      this.#watching.push(
        liveQuery(() => store.classes()).subscribe({
          next: (classes) => {
            this.#classes = classes;
            if (!classes.some(({ id }) => id === this.#classId)) this.#choose(remembered(classes) ?? "");
            this.requestUpdate();
          },
          error: (error: unknown) => this.warn(sentenceFor(error) ?? ""),
        }),
      );
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#clock);
    document.removeEventListener("visibilitychange", this.#followClock);
    for (const one of this.#watching.splice(0)) one.unsubscribe();
    this.#work?.job.abort();
    this.#camera?.job.abort();
    this.#forgetPictures(0);
  }

  protected override unsaved(): boolean {
    return this.#classes.length > 0;
  }

  // The class in view

  #chooseDay(date: string): void {
    this.#followsClock = date === today();
    this.#choose(this.#classId, date);
  }

  #followClock = (): void => {
    if (this.#followsClock && this.#date !== today()) this.#choose(this.#classId, today());
  };

  /** The day for photos that are added now, because midnight may just have passed. */
  #dayOfPhotos(): string {
    this.#followClock();
    return this.#date;
  }

  #choose(classId: string, date = this.#date): void {
    this.#watching.splice(1).forEach((one) => one.unsubscribe());
    if (classId !== this.#classId) this.#closeCamera(); // the camera was opened for the other class
    [this.#classId, this.#date, this.#class, this.#told, this.#enrolled, this.#unreadable] = [classId, date, undefined, undefined, "", 0];
    remember(classId);
    this.requestUpdate();
    if (!classId) return;
    this.#watching.push(
      liveQuery(() => this.store.snapshot(classId, date)).subscribe({
        next: (snapshot) => {
          this.#class = snapshot;
          this.requestUpdate();
          void this.guarded(() => this.#recognise());
        },
        error: (error: unknown) => this.warn(sentenceFor(error) ?? ""),
      }),
    );
  }

  protected override engineRestarted(): void {
    this.#enrolled = "";
    this.#asked.clear();
    void this.guarded(() => this.#recognise());
  }

  /** Identify all faces again that the teacher has not decided on, if the class has changed. */
  async #recognise(): Promise<void> {
    const current = this.#class;
    if (!current) return;
    await this.#inTurn(() => this.#enrolEngine(current));
    const enrolled = this.#signatureOf(current, await this.embedderOf(current.row));
    for (const { id } of current.day?.photos ?? []) {
      const faces = current.sightings.filter(({ photoId }) => photoId === id);
      const asked = `${enrolled} ${current.row.rule} ${faces.map(({ by, personId }) => (by === "teacher" ? personId : "")).join()}`;
      if (this.#asked.get(id) === asked) continue;
      const changed = (await this.#judged(current, faces)).filter((face, i) => differs(face, faces[i]!));
      if (this.#class !== current) return; // a newer snapshot has arrived and is handled instead
      this.#asked.set(id, asked);
      if (changed.length) await this.store.judge(changed);
    }
    this.requestUpdate();
  }

  /** Ask the engine one question at a time, each about its own class. */
  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#asking.then(ask);
    this.#asking = answer.catch(() => {});
    return answer;
  }

  #signatureOf({ row, photos }: Snapshot, embedder: string): string {
    return `${row.id} ${embedder} ${photos.map(({ id }) => id).join()}`;
  }

  /** Tell the engine which pupils it may name. */
  async #enrolEngine(current: Snapshot): Promise<void> {
    const embedder = await this.embedderOf(current.row);
    const signature = this.#signatureOf(current, embedder);
    if (signature === this.#enrolled) return;
    const photos = current.photos.filter((photo) => this.isComparable(photo));
    const told = await this.engine.enrol(photos.map(({ personId }) => personId), joined(photos.map(({ embedding }) => embedding)), embedder);
    this.#enrolled = signature;
    if (current.row.id === this.#classId) this.#told = { ...told, ids: photos.map(({ id }) => id) };
    this.requestUpdate();
  }

  /** The faces of one photo with the engine's answers. The teacher's answers stay, and nobody whom the teacher has named is named again. */
  async #judged(current: Snapshot, faces: Sighting[]): Promise<Sighting[]> {
    const asked = faces.filter((face) => this.isComparable(face));
    if (!asked.length) return faces;
    const answers = await this.#inTurn(async () => {
      await this.#enrolEngine(current);
      return this.engine.who(asked.map(({ embedding }) => embedding), current.row.rule);
    });
    const taken = new Set(faces.filter(({ by }) => by === "teacher").map(({ personId }) => personId));
    return faces.map((face) => {
      const told = answers[asked.indexOf(face)];
      if (!told) return face;
      const { key, answer, runner_up, distance, chance, likely } = told;
      this.#likely.set(face.id, likely);
      this.#runnersUp.set(face.id, runner_up);
      if (face.by === "teacher") return face;
      const free = key && !taken.has(key);
      return { ...face, personId: free ? key : null, answer: free ? answer : "unknown", distance, chance };
    });
  }

  // What the teacher does with the class

  #addClass(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = normalName(String(new FormData(form).get("name") ?? ""));
    if (!name) return;
    void this.guarded(async () => {
      const { id } = await this.store.addClass(name);
      this.#choose(id);
      form.reset();
      this.say(`The class ${name} is ready. Add its pupils.`);
    });
  }

  /** Add files of pupils to a class. Their folders, the typed name or the teacher say which pupils they show. */
  async #sort(listed: Listed[], typed: string, into: Snapshot, peopleAt?: number): Promise<void> {
    const answer = await this.#sorted(listed, () => portraitsAmong(this.engine, listed, typed, peopleAt));
    if (!answer) return;
    [this.#question, this.#outcomes] = [undefined, undefined];
    if (!isQuestion(answer)) return this.#enrol(answer.photos, into, answer);
    if (!answer.answers.length) return this.warn(`${answer.words} Type the pupil’s name first, or drop a folder that has this name.`);
    this.#question = { asked: answer, listed, into };
    this.requestUpdate();
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(".question")?.focus();
  }

  async #sortGroupPhotos(listed: Listed[], into: Snapshot, date: string): Promise<void> {
    const found = await this.#sorted(listed, () => photosAmong(this.engine, listed));
    if (!found) return;
    const done = this.#addGroupPhotos(found.photos, into, date);
    const remarks = found.remarks.filter(({ mild }) => !mild).map(({ words }) => words);
    if (remarks.length) this.warn(`${this.warning} Left out: ${remarks.join("; ")}.`.trim());
    await done;
  }

  /** Sort files, as a piece of work with progress. */
  async #sorted<T>(listed: Listed[], ask: () => Promise<T>): Promise<T | undefined> {
    let answer: T | undefined;
    await this.#workOn("Sorting the files", listed.length, [ask], async (ask) => void (answer = await ask()));
    return answer;
  }

  /** Enrol photos of pupils, each in a folder with the pupil’s name. */
  async #enrol(given: Given[], { row, people }: Snapshot, { names, remarks }: Pick<Outcomes, "names" | "remarks"> = { names: [], remarks: [] }): Promise<void> {
    const classId = row.id;
    const outcomes: Outcomes = { classId, names, remarks, all: [] };
    if (!this.#work) this.#outcomes = outcomes;
    if (!given.length) return this.warn("There were no photos in it. Choose JPEG, PNG or WebP files.");
    const pupils = new Map(people.map(({ name, id }) => [name, id]));
    await this.#process(`Enrolling in ${row.name}`, given, async ({ file, folder }, photo, signal) => {
      const name = normalName(folder);
      const tell = (fate: Outcome["fate"], sentence: string, spare?: Outcome["spare"]) => {
        outcomes.all.push({ file: file.name, name, sentence, fate, ...(spare && { spare }) });
      };
      const tellOwner = (owner: Person) => (owner.name === name ? tell("known", "is enrolled already") : tell("another’s", `is enrolled already, as a photo of ${owner.name}`));
      await this.orLeaveOut(
        async () => {
          const hash = await hashOf(file);
          const owner = hash && (await this.store.ownerOf({ classId, hash }));
          if (owner) return tellOwner(owner);
          const embedder = await this.embedderOf(row);
          const { faces, unfit, evened } = await this.#look(await photo, SMALLEST.portrait, embedder, signal);
          const [face] = faces;
          const kept = face && { classId, ...(hash && { hash }), embedding: face.embedding, embedder, chip: chipUrl(face) };
          if (!kept || unfit) return tell("left out", `left out: ${unfit ?? "no face was found"}`, kept);
          const { person, added } = await this.store.enrol(name, { ...kept, file: file.name }, pupils.get(name));
          if (!added) return tellOwner(person);
          pupils.set(name, person.id);
          const changed = [evened ? "was too dark, so it was brightened first" : "", turnedInWords(faces.map(({ face }) => face))];
          tell("enrolled", ["enrolled", ...changed.filter(Boolean).map((what) => `it ${what}`)].join("; "));
        },
        (why) => tell("left out", `left out: ${why}`),
      );
    });
  }

  #enrolAllTheSame(outcome: Outcome): void {
    void this.guarded(async () => {
      const { person, added } = await this.store.enrol(outcome.name, { ...outcome.spare!, file: outcome.file });
      outcome.fate = added ? "enrolled" : "known";
      outcome.sentence = added ? "enrolled anyway" : `is enrolled already, as a photo of ${person.name}`;
      delete outcome.spare;
      this.requestUpdate();
    });
  }

  /** Add photos of a day to a class, and identify their faces. */
  async #addGroupPhotos(given: Given[], { row }: Snapshot, date: string): Promise<void> {
    if (!given.length) return this.warn("There were no photos in it. Choose JPEG, PNG or WebP files.");
    let day: Day | undefined;
    await this.#process(`Looking at group photos of ${row.name}, ${date}`, given, async ({ file }, opening, signal) => {
      await this.orLeaveOut(
        async () => {
          day ??= await this.store.day(row.id, date);
          const hash = await hashOf(file);
          if (hash && (await this.store.hasGroupPhoto(day.id, hash))) throw new PhotoError("is already on this roll");
          const photo = await opening;
          const embedder = await this.embedderOf(row);
          const look = await this.#look(photo, SMALLEST.group, embedder, signal);
          const [first] = look.faces;
          if (!first) throw new PhotoError("no face was found; go nearer, or take it in better light");
          const current = await this.store.snapshot(row.id, date);
          if (!current) throw new ConflictError(`The class ${row.name} was deleted in the meantime, so nothing more was added to it.`);
          const id = newId();
          const faces = await this.#judged(current, look.faces.map((face) => sighting(face, embedder, day!, id)));
          await this.#show(id, photo);
          const key = hash ?? faceKey(first.embedding);
          await this.store.addGroupPhoto(day, { id, file: file.name, width: photo.width, height: photo.height, key }, faces).catch((error: unknown) => {
            this.#forgetPicture(id);
            throw error;
          });
          const turned = turnedInWords([first.face]);
          if (turned) this.warn(`${this.warning} ${file.name} ${turned}.`.trim());
        },
        (why) => this.warn(`${this.warning} ${file.name}: ${why}`.trim()),
      );
    });
  }

  #removePhoto(dayId: string, id: string): void {
    this.#forgetPicture(id);
    void this.guarded(() => this.store.removeGroupPhoto(dayId, id));
  }

  async #show(id: string, photo: Photo): Promise<void> {
    const blob = await new Promise<Blob | null>((resolve) => photo.toBlob(resolve, "image/jpeg", 0.9));
    if (blob) this.#pictures.set(id, URL.createObjectURL(blob));
    this.#forgetPictures(PICTURES);
  }

  #forgetPictures(but: number): void {
    for (const [id] of [...this.#pictures].slice(0, Math.max(0, this.#pictures.size - but))) this.#forgetPicture(id);
  }

  #forgetPicture(id: string): void {
    URL.revokeObjectURL(this.#pictures.get(id) ?? "");
    this.#pictures.delete(id);
  }

  async #look(photo: Photo, smallest: number, embedder: string, signal: AbortSignal): Promise<Look> {
    signal.throwIfAborted();
    return this.engine.look(pixelsOf(photo), smallest, embedder, signal);
  }

  /** Process photos one after another, with progress, until the reader stops it. Finished photos stay. */
  async #process(what: string, given: Given[], one: (given: Given, photo: Promise<Photo>, signal: AbortSignal) => Promise<void>): Promise<void> {
    const done = await this.#workOn(what, given.length, this.opened(given), ([each, photo], signal) => one(each, photo, signal));
    if (done !== undefined) this.say(done === given.length ? `All done: ${photos(done)}.` : `Stopped after ${photos(done)}. They are stored.`);
  }

  /** How many of `count` items were done before the end or a stop; undefined if other work is running. */
  async #workOn<T>(what: string, count: number, things: Iterable<T>, one: (thing: T, signal: AbortSignal) => Promise<void>): Promise<number | undefined> {
    if (this.#work) {
      this.warn("Something is still running. Wait until it is done, or stop it.");
      return undefined;
    }
    const work = (this.#work = { job: new AbortController(), done: 0, of: count, what });
    const { signal } = work.job;
    this.warn("");
    this.say("");
    await this.guarded(async () => {
      for (const thing of things) {
        signal.throwIfAborted();
        await one(thing, signal);
        work.done++;
        this.requestUpdate();
      }
    });
    this.#work = undefined;
    this.requestUpdate();
    return work.done;
  }

  // Another network for a class: its faces are embedded again from their chips, because embeddings of two networks cannot be compared.

  /** Embed all faces of a class again with the page's default network. Nothing changes before all are done. `leaveOut`: photos without a chip are deleted. */
  #readAgain({ id, name }: ClassRow, leaveOut: boolean): void {
    void this.guarded(async () => {
      const embedder = await this.embedderOf(undefined);
      const { photos: enrolled, sightings } = await this.store.faces(id);
      const unreadable = enrolled.filter(({ chip }) => !chip).map(({ id }) => id);
      const doubtful = leaveOut ? 0 : unreadable.length;
      if (this.#classId === id) this.#unreadable = doubtful;
      this.requestUpdate();
      if (doubtful) return; // the teacher is asked first
      const faces = [...enrolled, ...sightings].filter(({ chip }) => chip);
      const read = new Map<string, Float32Array>();
      const done = await this.#workOn(`Reading faces again with ${networkName(embedder)}`, faces.length, faces, async (face, signal) => {
        const numbers = await reread(this.engine, face, embedder, signal).catch((error: unknown) => {
          if (!isPhotoError(error)) throw error;
          throw new PhotoError(`${"file" in face ? face.file : "A face of a group photo"} cannot be read again. Remove it, then start again. ${error.message}`);
        });
        read.set(face.id, numbers);
      });
      if (done === undefined) return;
      if (done < faces.length) return this.say(`Stopped. The class ${name} has not changed.`);
      await this.store.changeEmbedder(id, embedder, read, unreadable);
      if (this.#outcomes?.classId === id) this.#outcomes = undefined; // its embeddings come from the other network
      this.say(`The class ${name} now uses ${networkName(embedder)}: ${done === 1 ? "one face was" : `${done} faces were`} read again.`);
    });
  }

  /** A gallery, embedded again for a class; undefined if that is impossible, or was stopped. */
  async #readFor({ name, embedder }: ClassRow & { embedder: string }, gallery: Gallery): Promise<Gallery | undefined> {
    const faces = gallery.people.flatMap(({ photos }) => photos);
    const unreadable = faces.filter(({ chip }) => !chip).length;
    if (unreadable) {
      this.warn(
        `The class ${name} uses ${networkName(embedder)}, but this file was made with ${networkName(gallery.embedder)}. Of its ${photos(faces.length)}, ` +
          `${unreadable} came without a picture of the face that could be read again, so the file cannot be added to this class. Under another name, the file makes a new class.`,
      );
      return undefined;
    }
    const done = await this.#workOn(`Reading the file’s faces with ${networkName(embedder)}`, faces.length, faces, async (photo, signal) => {
      photo.embedding = [...(await reread(this.engine, { chip: photo.chip!, embedder: gallery.embedder }, embedder, signal))];
    });
    if (done === faces.length) return { embedder, people: gallery.people };
    if (done !== undefined) this.say(`Stopped. The class ${name} has not changed.`);
    return undefined;
  }

  // What the teacher does with a face, and with the roll

  #correct(face: Sighting, personId: string | null): void {
    const name = personId && this.#nameOf(personId);
    void this.guarded(async () => {
      await this.store.correct(face.id, personId);
      this.#closeFace();
      this.say(name ? `This face is ${name} now.` : "This face is nobody in the class now.");
    });
  }

  /** Enrol a face of a group photo as another photo of a pupil, or as the first photo of a new one. */
  #enrolFace(face: Sighting, name: string): void {
    void this.guarded(async () => {
      const { person, added } = await this.store.enrolFace(face, name);
      this.#closeFace();
      if (added) this.say(`${person.name} is enrolled with this face.`);
      else this.warn(`This face is enrolled already, as a photo of ${person.name}.`);
    });
  }

  #delete(deletion: () => Promise<Bin>): void {
    void this.guarded(async () => {
      const bin = await deletion();
      this.#bins.push(bin);
      setTimeout(() => this.#empty(bin), UNDO_SECONDS * 1000);
      if (bin.rows.classes.length) this.#forgetPictures(0);
      if (!this.#work) this.#outcomes = undefined;
      this.say(`Deleted from this browser: ${bin.what}.`);
    });
  }

  #undo(bin: Bin): void {
    void this.guarded(async () => {
      const remarks = await this.store.restore(bin);
      this.#empty(bin);
      this.say(["Restored.", ...remarks].join(" "));
    });
  }

  #empty(bin: Bin): void {
    this.#bins = this.#bins.filter((one) => one !== bin);
    this.requestUpdate();
  }

  #export({ row, people, photos }: Snapshot): void {
    void this.guarded(async () => {
      const embedder = await this.embedderOf(row);
      const told = people.map(({ id, name }) => ({
        name,
        photos: photos
          .filter((photo) => photo.personId === id && this.isComparable(photo))
          .map(({ file, embedding, chip }) => ({ file, embedding: [...embedding], chip })),
      }));
      const gallery = { embedder, name: row.name, people: told.filter((person) => person.photos.length) };
      save(`${row.name}.facelab.json`, await this.engine.writeGallery(gallery), "application/json");
    });
  }

  #import(input: HTMLInputElement): void {
    const [file] = input.files ?? [];
    input.value = "";
    if (!file) return;
    void this.guarded(async () => {
      this.warn("");
      const gallery = await this.engine.readGallery(new TextDecoder().decode(await bytesOf(file)));
      const name = gallery.name || normalName(file.name.replace(/(\.facelab)?\.json$/, "")) || "class";
      const known = (await this.store.classes()).find((one) => one.name === name);
      const { embedder = gallery.embedder } = known ?? {};
      const taken = known && embedder !== gallery.embedder ? await this.#readFor({ ...known, embedder }, gallery) : gallery;
      if (!taken) return;
      const { classId, added, elsewhere } = await this.store.take(known ?? { name }, taken);
      this.#choose(classId);
      this.say(`${taken.people.length} pupils with ${photos(added)} ${known ? "added to" : "make"} the class ${name}.`);
      const remarks = [...gallery.remarks, ...elsewhere];
      if (remarks.length) this.warn(`${file.name}: ${remarks.join("; ")}.`);
    });
  }

  #trySamples(): void {
    void this.guarded(async () => {
      const folder = new URL("samples/", this.app);
      const sample = async (name: string) => {
        const photo = await fetched(new URL(name, folder));
        if (!photo) throw new PhotoError("The sample photos did not arrive. Check the connection, then try again.");
        return new File([photo], name);
      };
      const [obama, obama2, obama3, biden] = await Promise.all(["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"].map(sample));
      const { id } = await this.store.addClass("Two presidents");
      this.#choose(id);
      const date = this.#dayOfPhotos();
      const made = await this.store.snapshot(id, date);
      if (!made) return;
      const portraits = [
        { file: obama!, folder: "Barack Obama" },
        { file: obama2!, folder: "Barack Obama" },
        { file: biden!, folder: "Joe Biden" },
      ];
      await this.#enrol(portraits, made);
      await this.#addGroupPhotos([{ file: obama3!, folder: "" }], made, date);
    });
  }

  // The camera

  #openCamera(name: string): void {
    this.#camera?.job.abort();
    const camera = (this.#camera = { job: new AbortController(), name });
    this.requestUpdate();
    void this.guarded(async () => {
      await this.updateComplete;
      const video = this.renderRoot.querySelector("video")!;
      const lost = (why: string) => {
        this.#closeCamera();
        this.warn(why);
      };
      await openCamera(video, camera.job.signal, lost).catch((error: unknown) => {
        this.#closeCamera();
        throw error;
      });
    });
  }

  #closeCamera(): void {
    this.#camera?.job.abort();
    this.#camera = undefined;
    this.requestUpdate();
  }

  async #shoot(into: Snapshot): Promise<void> {
    const { name } = this.#camera!;
    const date = this.#dayOfPhotos();
    const blob = await takePhoto(this.renderRoot.querySelector("video")!).catch((error: Error) => {
      this.#closeCamera();
      this.warn(error.message);
    });
    if (!blob) return;
    const given = [{ file: new File([blob], `camera ${new Date().toLocaleTimeString("en-GB")}.png`), folder: name }];
    if (name) await this.#enrol(given, into);
    else await this.#addGroupPhotos(given, into, date);
  }

  // Views

  protected override render(): TemplateResult {
    return html`${this.engineBar()} ${this.#workBar()} ${this.#binBar()} ${this.#classBar()}
    ${this.#class ? this.#classView(this.#class) : nothing}
    ${this.#dataView()} ${this.#faceDialog()}`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  /** The roll comes first once the class has pupils. */
  #classView(current: Snapshot) {
    const roll = this.#rollView(current);
    const pupils = this.#pupilsView(current);
    return html`${current.people.length ? [roll, pupils] : [pupils, roll]} ${this.#historyView(current)}`;
  }

  #workBar() {
    const work = this.#work;
    if (!work) return nothing;
    return html`<div class="work" data-testid="work">
      <progress max=${work.of} .value=${work.done} aria-label=${work.what}></progress>
      <span>${work.what}: ${work.done} of ${work.of}</span>
      <button type="button" data-testid="stop" @click=${() => work.job.abort()}>Stop</button>
    </div>`;
  }

  #binBar() {
    const bin = this.#bins.at(-1);
    if (!bin) return nothing;
    const more = this.#bins.length - 1;
    return html`<p class="bin" data-testid="bin">Deleted: ${bin.what}. <button type="button" data-testid="undo" @click=${() => this.#undo(bin)}>Undo</button>
      ${more ? html`<span class="muted">${more === 1 ? "One earlier deletion" : `${more} earlier deletions`} can be undone next.</span>` : nothing}</p>`;
  }

  #classBar() {
    return html`<section class="classes" aria-labelledby="classes">
      <h2 id="classes">Class</h2>
      <div class="row">
        ${this.#classes.length
          ? html`<label class="field">Class
              <select data-testid="class" @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
                ${this.#classes.map(({ id, name }) => html`<option value=${id} ?selected=${id === this.#classId}>${name}</option>`)}
              </select></label>`
          : nothing}
        <form class="row" @submit=${(event: SubmitEvent) => this.#addClass(event)}>
          <label class="field">${this.#classes.length ? "A new class" : "Name your class"}
            <input name="name" required maxlength="80" placeholder="7b" autocomplete="off" data-testid="new-class" /></label>
          <button class=${this.#classes.length ? "" : "primary"} data-testid="add-class">Make it</button>
        </form>
        <label class="button file">Open a class file<input type="file" accept=".json" data-testid="import" @change=${(event: Event) => this.#import(event.target as HTMLInputElement)} /></label>
      </div>
      ${this.#class ? this.#embedderNote(this.#class.row) : nothing}
      ${this.#classes.length
        ? nothing
        : html`<p>There is no class yet. Name one, or try it with <button type="button" class="link" data-testid="try-samples" @click=${() => this.#trySamples()}>four sample photos of two presidents</button>.</p>`}
    </section>`;
  }

  /** A note for classes that were enrolled with another network than the page's default. */
  #embedderNote(row: ClassRow) {
    const own = this.manifest?.embedder.name;
    if (!own || !row.embedder || row.embedder === own) return nothing;
    const [theirs, ours] = [networkName(row.embedder), networkName(own)];
    const known = Boolean(embedderIn(this.manifest, row.embedder));
    const them = this.#unreadable === 1 ? "it" : "them";
    const opening = known && !this.#told && !this.warning ? " It is opening …" : "";
    return html`<div class="network" data-testid="class-embedder">
      <p>This class was enrolled with ${theirs}, ${known ? "and still uses it." : "which this site does not have, so nobody in it can be recognised."}${opening}</p>
      ${this.#unreadable
        ? html`<p role="alert" data-testid="unreadable">${ours} cannot read ${photos(this.#unreadable)} of this class, because no picture of the face is stored. To keep them, enrol ${them} again.</p>
            <div class="row">
              <button type="button" data-testid="read-again-without" @click=${() => this.#readAgain(row, true)}>Leave ${them} out, and read all other faces again</button>
              <button type="button" data-testid="keep-embedder" @click=${() => {
                this.#unreadable = 0;
                this.requestUpdate();
              }}>Keep the class as it is</button>
            </div>`
        : html`<div class="row"><button type="button" data-testid="read-again" ?disabled=${Boolean(this.#work)} @click=${() => this.#readAgain(row, false)}>Read its faces again with ${ours}</button></div>`}
    </div>`;
  }

  #rollView(current: Snapshot) {
    const { row, people, date, day, sightings } = current;
    const roll = rollOf(current);
    const any = Boolean(day?.photos.length);
    const counts = `${countOf(roll, "present")} present, ${countOf(roll, "unsure")} unsure, ${countOf(roll, "absent")} absent`;
    const strangers = sightings.filter(({ personId }) => !personId).length;
    return html`<section aria-labelledby="roll">
      <h2 id="roll">The roll</h2>
      <div class="row">
        <label class="field">Day <input type="date" data-testid="date" required .value=${this.#date} @change=${(event: Event) => this.#chooseDay((event.target as HTMLInputElement).value || today())} /></label>
        ${people.length
          ? html`<label class="button primary file">Add group photos<input type="file" multiple accept="image/*" data-testid="group-photos" @change=${(event: Event) => void this.#sortGroupPhotos(fromInput(event.target as HTMLInputElement), current, this.#dayOfPhotos())} /></label>
              <button type="button" data-testid="group-camera" @click=${() => this.#openCamera("")}>Camera</button>`
          : nothing}
      </div>
      ${people.length
        ? html`<div class="drop" data-testid="drop-group" @dragover=${over} @dragleave=${leave} @drop=${(event: DragEvent) => {
            const date = this.#dayOfPhotos();
            void this.#dropped(event, (listed) => this.#sortGroupPhotos(listed, current, date));
          }}>
            Drop the day’s group photos here: whoever is in one of them is present.
          </div>`
        : html`<p>Enrol the pupils below first. Then add a group photo.</p>`}
      ${this.#camera && !this.#camera.name ? this.#viewfinder("Take the group photo", current) : nothing}
      ${repeat(day?.photos ?? [], ({ id }) => id, (photo) => html`<figure data-testid="group-photo">
          ${groupPicture(this.#pictures.get(photo.id), photo, sightings.filter(({ photoId }) => photoId === photo.id), this.#nameOf, (face) => this.#openFace(face))}
          <figcaption class="caption">
            ${photo.file}. ${this.#pictures.has(photo.id) ? "Click a face to correct it." : "The photo itself is not stored, only its faces. Click a face to correct it."}
            <button type="button" class="link" data-testid="remove-photo" @click=${() => this.#removePhoto(day!.id, photo.id)}>Remove it</button>
          </figcaption>
        </figure>`)}
      ${people.length
        ? html`<p class="counts" data-testid="counts" ?hidden=${!any}>${counts}${strangers ? `; ${strangers === 1 ? "one face is" : `${strangers} faces are`} nobody in the class` : ""}.</p>
            <table class="roll" data-testid="roll" ?hidden=${!any}>
              <thead><tr><th scope="col">Face</th><th scope="col">Name</th><th scope="col">Status</th><th scope="col">By hand</th></tr></thead>
              <tbody>${repeat(roll, ({ person }) => person.id, (entry) => this.#rollRow(entry, current.date))}</tbody>
            </table>
            <div class="row" ?hidden=${!any}>
              <button type="button" data-testid="csv" @click=${() => save(`${row.name} ${date}.csv`, asCsv(roll, row.name, date, day), "text/csv")}>Save as CSV</button>
              <button type="button" data-testid="json" @click=${() => save(`${row.name} ${date}.json`, asJson(roll, row.name, date, day), "application/json")}>Save as JSON</button>
              <button type="button" data-testid="print" @click=${() => print(roll, row.name, date)}>Print</button>
            </div>
            <p class="caption" ?hidden=${!any}>This is a draft. Somebody who knows the class must check it before anybody counts as absent.</p>`
        : nothing}
    </section>`;
  }

  #rollRow({ person, presence, evidence, marked }: Entry, date: string) {
    const mark = (to: "present" | "absent") => void this.guarded(() => this.store.mark(person, date, marked && presence === to ? null : to));
    const button = (to: "present" | "absent") => html`<button type="button" aria-pressed=${marked && presence === to}
      aria-label="${person.name}: ${to}" data-testid="mark-${to}" @click=${() => mark(to)}>${to}</button>`;
    return html`<tr data-testid="entry" data-name=${person.name} data-presence=${presence}>
      <td>${evidence ? html`<button type="button" class="chip" aria-label="The face taken for ${person.name}" @click=${() => this.#openFace(evidence)}><img src=${evidence.chip} alt="" /></button>` : "–"}</td>
      <th scope="row">${person.name}</th>
      <td><span class="presence ${presence}">${presence}</span></td>
      <td class="hand">${button("present")} ${button("absent")}</td>
    </tr>`;
  }

  #pupilsView(current: Snapshot) {
    const { row, people, photos: enrolled } = current;
    const oddIds = new Set((this.#told?.odd ?? []).map((i) => this.#told?.ids[i]));
    const name = () => normalName(this.renderRoot.querySelector<HTMLInputElement>("#pupil")?.value ?? "");
    return html`<section aria-labelledby="pupils">
      <h2 id="pupils">Pupils</h2>
      <p class="caption">Three to six photos of each pupil, taken on different days, work well. To enrol a whole class at once, choose a folder that holds a folder for each pupil, named after the pupil.</p>
      <div class="row">
        <label class="button primary file">Choose a folder<input type="file" webkitdirectory multiple data-testid="folder" @change=${(event: Event) => void this.#sort(fromInput(event.target as HTMLInputElement), "", current)} /></label>
        <span class="or">or one by one:</span>
        <label class="field">Pupil <input id="pupil" list="names" autocomplete="off" maxlength="80" data-testid="pupil" /></label>
        <datalist id="names">${people.map((person) => html`<option value=${person.name}></option>`)}</datalist>
        <label class="button file">Add photos<input type="file" multiple accept="image/*" data-testid="portraits" @change=${(event: Event) => void this.#sort(fromInput(event.target as HTMLInputElement), name(), current)} /></label>
        <button type="button" data-testid="pupil-camera" @click=${() => (name() ? this.#openCamera(name()) : this.warn("Whose photo will it be? Type the pupil’s name first."))}>Camera</button>
      </div>
      <div class="drop" data-testid="drop-pupils" @dragover=${over} @dragleave=${leave} @drop=${(event: DragEvent) => {
        const typed = name();
        void this.#dropped(event, (listed) => this.#sort(listed, typed, current));
      }}>
        Drop a folder with a folder for each pupil here, or photos of the pupil named above.
      </div>
      ${this.#camera?.name ? this.#viewfinder(`Take a photo of ${this.#camera.name}`, current) : nothing}
      ${this.#questionView(row)} ${this.#outcomesView(row)}
      <ul class="people" data-testid="people">
        ${repeat(people, ({ id }) => id, (person) => this.#personView(person, enrolled.filter(({ personId }) => personId === person.id), oddIds))}
      </ul>
      ${people.length > 1 && this.#told && this.#told.people > 1 ? this.#calibrationView(this.#told, row) : nothing}
      <div class="row">
        <button type="button" data-testid="export" ?disabled=${!enrolled.length} @click=${() => this.#export(current)}>Save the class as a file</button>
        <button type="button" class="danger" data-testid="delete-class" @click=${() => this.#delete(() => this.store.deleteClass(row))}>Delete the class</button>
      </div>
      <p class="caption">The file holds names, faces, embeddings and a checksum, but no rolls. <code>facelab identify</code> reads it too. Keep it as safe as photos of the class.</p>
    </section>`;
  }

  #questionView({ id }: ClassRow) {
    if (this.#question?.into.row.id !== id) return nothing;
    const { asked, listed, into } = this.#question;
    const cancel = () => {
      this.#question = undefined;
      this.requestUpdate();
    };
    return questionView(asked, (peopleAt) => void this.#sort(listed, "", into, peopleAt), cancel);
  }

  #outcomesView({ id }: ClassRow) {
    if (this.#outcomes?.classId !== id) return nothing;
    const { all, names, remarks } = this.#outcomes;
    if (!all.length && !remarks.length) return nothing;
    const there = new Set(all.filter(({ fate }) => fate === "enrolled" || fate === "known").map(({ name }) => name));
    const missing = this.#work ? [] : names.filter((name) => !there.has(name));
    const bad = all.filter(({ fate }) => fate === "left out" || fate === "another’s");
    const remarkable = all.filter(({ fate, sentence }) => fate === "known" || (fate === "enrolled" && sentence !== "enrolled"));
    const count = (fate: Outcome["fate"], words: string) => {
      const some = all.filter((outcome) => outcome.fate === fate).length;
      return some ? `, ${some} ${words}` : "";
    };
    const enrolled = all.filter(({ fate }) => fate === "enrolled").length;
    const counted = remarks.length === 1 ? "one remark" : `${remarks.length} remarks`;
    return html`${missing.length
      ? html`<p class="warning" role="alert" data-testid="not-enrolled">${missing.length === 1 ? "One pupil is" : `${missing.length} pupils are`} not enrolled: ${new Intl.ListFormat("en-GB").format(missing)}.</p>`
      : nothing}
    <details class="outcomes" ?open=${bad.length + missing.length > 0 || remarks.some(({ mild }) => !mild)}>
      <summary data-testid="outcomes">${enrolled} of ${photos(all.length)} enrolled${count("known", "enrolled before")}${count("another’s", "already another pupil’s")}${count("left out", "left out")}${remarks.length ? `; ${counted} on other files` : ""}</summary>
      <ul>
        ${remarks.map(({ words, mild }) => html`<li class=${mild ? "good" : "note"}>${words}</li>`)}
        ${[...bad, ...remarkable].map((outcome) => html`<li class=${bad.includes(outcome) ? "bad" : "good"}>
            <b>${outcome.name}</b>, ${outcome.file}: ${outcome.sentence}
            ${outcome.spare ? html`<button type="button" class="link" @click=${() => this.#enrolAllTheSame(outcome)}>Enrol it anyway</button>` : nothing}
          </li>`)}
      </ul>
    </details>`;
  }

  #personView(person: Person, enrolled: Enrolled[], odd: Set<string | undefined>) {
    const remove = (photo: Enrolled) => this.#delete(() => this.store.deletePhoto(photo));
    return html`<li data-testid="person" data-name=${person.name}>
      <div class="chips">
        ${enrolled.map((photo) => html`<button type="button" class="chip ${odd.has(photo.id) ? "odd" : ""}" title="${photo.file}: remove it"
            aria-label="${photo.chip ? "" : "no picture: "}${person.name}, ${photo.file}: remove it" @click=${() => remove(photo)}>${photo.chip ? html`<img src=${photo.chip} alt="" />` : html`<span>no picture</span>`}</button>`)}
      </div>
      <b>${person.name}</b> <span class="muted">${photos(enrolled.length)}</span>
      ${enrolled.some(({ id }) => odd.has(id)) ? html`<p class="note" data-testid="odd">The framed photo does not look like the others. Does it show ${person.name}?</p>` : nothing}
      ${enrolled.every((photo) => this.isComparable(photo)) ? nothing : html`<p class="note" data-testid="incomparable">The embeddings of ${photos(enrolled.filter((photo) => !this.isComparable(photo)).length)} are damaged. Remove what is damaged, then enrol it again.</p>`}
      ${enrolled.length ? nothing : html`<p class="note">No photo, so this pupil cannot be recognised.</p>`}
      <button type="button" class="link" data-testid="delete-person" aria-label="Delete ${person.name}" @click=${() => this.#delete(() => this.store.deletePerson(person))}>Delete</button>
    </li>`;
  }

  #calibrationView(told: ClassSummary, row: ClassRow) {
    const own = Math.round((100 * (told.people - 1)) / (told.people + 9));
    const once = Math.round(1 / told.rate / told.people / 10) * 10 || 1;
    return html`<div class="calibration">
      <h3>The thresholds of this class</h3>
      <p data-testid="class-sentence">With ${told.people} pupils and ${photos(told.photos)}, a face gets a name for <b>sure</b> below a distance of ${told.sure_below.toFixed(2)}, a name with a
        question mark up to ${told.unknown_from.toFixed(2)}, and no name beyond that. At these limits, about one stranger in ${once.toLocaleString("en-GB")} is named for sure. The limits rest
        to ${own} % on the distances between these pupils, and for the rest on measurements of other people.</p>
      ${histogram(told)}
      <p class="caption">Blue: distances from each photo to the pupil’s other photos. Grey: distances to all other pupils. Green background: sure; yellow: unsure.</p>
      <p data-testid="alike">Most alike: ${told.alike.map(([a, b, distance], i) => html`${i ? "; " : ""}<b>${this.#nameOf(a)}</b> and <b>${this.#nameOf(b)}</b> (${distance.toFixed(2)}${distance < told.unknown_from ? ": easily confused" : ""})`)}. Check these names every time.</p>
      ${told.twice.map(([a, b]) => html`<p data-testid="twice"><b>${this.#nameOf(a)}</b> and <b>${this.#nameOf(b)}</b> look like one person under two names. If they are, delete one of the two, and
        enrol those photos under the other name.</p>`)}
      <label class="field">How faces are named
        <select data-testid="rule" @change=${(event: Event) => this.#setRule(row, (event.target as HTMLSelectElement).value as Rule)}>
          ${Object.entries(RULES).map(([rule, words]) => html`<option value=${rule} ?selected=${rule === row.rule}>${words}</option>`)}
        </select></label>
    </div>`;
  }

  #setRule({ id }: ClassRow, rule: Rule): void {
    void this.guarded(() => this.store.setRule(id, rule));
  }

  #historyView({ days }: Snapshot) {
    const kept = days.filter(({ photos: some, marks }) => some.length || Object.keys(marks).length);
    if (!kept.length) return nothing;
    return html`<section aria-labelledby="history">
      <h2 id="history">Days</h2>
      <ul class="days" data-testid="days">
        ${kept.map((day) => html`<li>
            <button type="button" class="link" aria-current=${day.date === this.#date ? "date" : nothing} @click=${() => this.#chooseDay(day.date)}>${day.date}</button>
            <span class="muted">${photos(day.photos.length)}</span>
            <button type="button" class="link" aria-label="Delete the roll of ${day.date}" @click=${() => this.#delete(() => this.store.deleteDay(day))}>Delete</button>
          </li>`)}
      </ul>
    </section>`;
  }

  #dataView() {
    return html`<section aria-labelledby="data">
      <h2 id="data">Your data</h2>
      <p>Names, small crops of faces, and embeddings are stored in this browser, on this machine. Photos are not stored, and nothing is sent anywhere.</p>
      <div class="row"><button type="button" class="danger" data-testid="delete-everything" @click=${() => this.#delete(() => this.store.deleteEverything())}>Delete everything</button></div>
    </section>`;
  }

  #viewfinder(words: string, into: Snapshot) {
    return html`<div class="viewfinder">
      <video muted playsinline aria-label="What the camera sees"></video>
      <div class="row"><button type="button" class="primary" data-testid="shutter" @click=${() => void this.#shoot(into)}>${words}</button>
      <button type="button" data-testid="stop-camera" @click=${() => this.#closeCamera()}>Stop the camera</button></div>
    </div>`;
  }

  // The dialogue about one face

  #openFace(face: Sighting): void {
    this.#faceId = face.id;
    this.requestUpdate();
  }

  #closeFace(): void {
    this.renderRoot.querySelector("dialog")?.close();
    this.#faceId = "";
    this.requestUpdate();
  }

  #faceDialog() {
    const face = this.#class?.sightings.find(({ id }) => id === this.#faceId);
    if (!face || !this.#class) return nothing;
    const { people } = this.#class;
    const likely = (this.#likely.get(face.id) ?? []).filter(([key]) => people.some(({ id }) => id === key));
    const nearest = likely.slice(0, 4);
    const rest = people.filter(({ id }) => !nearest.some(([key]) => key === id));
    const named = face.personId;
    const other = face.by === "machine" && people.find(({ id }) => id === this.#runnersUp.get(face.id));
    return html`<dialog aria-labelledby="who" data-testid="face-dialog" @close=${() => this.#closeFace()}>
      <div class="who">
        <img src=${face.chip} alt="The face" />
        <div>
          <h2 id="who">${named ? labelOf(face, this.#nameOf) : "Nobody in the class"}</h2>
          <p class="caption">${certainty(face)}${other ? ` ${other.name} is just as near.` : ""}</p>
        </div>
      </div>
      <p>Who is it?</p>
      <div class="choices">
        ${nearest.map(([key, distance]) => html`<button type="button" data-testid="choose-person" aria-pressed=${key === named} @click=${() => this.#correct(face, key)}>
            ${this.#nameOf(key)} <span class="muted">${distance.toFixed(2)}</span></button>`)}
        <button type="button" data-testid="choose-nobody" aria-pressed=${!named} @click=${() => this.#correct(face, null)}>Nobody in the class</button>
      </div>
      ${rest.length
        ? html`<label class="field">Somebody else of the class
            <select data-testid="choose-other" @change=${(event: Event) => this.#correct(face, (event.target as HTMLSelectElement).value)}>
              <option value="" selected disabled>Choose</option>
              ${rest.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}
            </select></label>`
        : nothing}
      <form class="row" @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        const name = normalName(String(new FormData(event.target as HTMLFormElement).get("name") ?? ""));
        if (name) this.#enrolFace(face, name);
      }}>
        <label class="field">Somebody new <input name="name" autocomplete="off" maxlength="80" data-testid="new-name" /></label>
        <button data-testid="name-stranger">Enrol with this face</button>
      </form>
      <div class="row">
        ${named ? html`<button type="button" data-testid="add-to-gallery" @click=${() => this.#enrolFace(face, this.#nameOf(named))}>This is ${this.#nameOf(named)}: add this face to the enrolled photos</button>` : nothing}
        <button type="button" data-testid="close-face" @click=${() => this.#closeFace()}>Close</button>
      </div>
    </dialog>`;
  }

  #nameOf = (id: string): string => this.#class?.people.find((person) => person.id === id)?.name ?? "somebody deleted";

  async #dropped(event: DragEvent, take: (listed: Listed[]) => Promise<void>): Promise<void> {
    leave(event);
    event.preventDefault();
    const listed = fromDrop(event.dataTransfer); // begins at once, because dropped files can be read only during the event
    await this.guarded(async () => take(await listed));
  }
}

const photos = (count: number) => (count === 1 ? "one photo" : `${count} photos`);

function sighting(seen: SeenFace, embedder: string, day: Day, photoId: string): Sighting {
  const { face, embedding, poor } = seen;
  return {
    id: newId(),
    classId: day.classId,
    dayId: day.id,
    photoId,
    box: face.box,
    embedding,
    embedder,
    chip: chipUrl(seen),
    poor,
    personId: null,
    answer: "unknown",
    distance: null,
    chance: null,
    by: "machine",
  };
}

const differs = (a: Sighting, b: Sighting) => a.personId !== b.personId || a.answer !== b.answer || a.distance !== b.distance;

function certainty({ by, answer, distance, chance, poor }: Sighting): string {
  const quality = poor.length ? ` The face is ${new Intl.ListFormat("en-GB").format(poor)}.` : "";
  if (by === "teacher") return `You decided this.${quality}`;
  const near = distance === null ? "" : ` Distance ${distance.toFixed(2)}.`;
  const rare = chance === null || answer === "unknown" ? "" : ` A stranger comes this near to somebody in the class ${often(chance)}.`;
  return `${{ sure: "Sure.", unsure: "Not sure.", unknown: "Near nobody." }[answer]}${near}${rare}${quality}`;
}

function often(chance: number): string {
  if (chance <= 1e-4) return "less than once in 10,000 faces";
  const once = 1 / chance;
  return `about once in ${(once >= 20 ? Math.round(once / 10) * 10 : Math.max(1, Math.round(once))).toLocaleString("en-GB")} faces`;
}

function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}

const KEY = "facelab-class";

function remember(classId: string): void {
  try {
    if (classId) localStorage.setItem(KEY, classId);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is forbidden here, so the next visit begins with the first class.
  }
}

function remembered(classes: ClassRow[]): string | undefined {
  let known: string | null = null;
  try {
    known = localStorage.getItem(KEY);
  } catch {
    // as above
  }
  return classes.find(({ id }) => id === known)?.id ?? classes[0]?.id;
}

function over(event: DragEvent): void {
  event.preventDefault();
  (event.currentTarget as Element).classList.add("over");
}

function leave(event: Event): void {
  (event.currentTarget as Element | null)?.classList.remove("over");
}
