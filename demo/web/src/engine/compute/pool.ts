/**
 * Runs the networks in one worker or, for the roll call and the album, in up to four. Each worker has all networks and computes a share of a photo's boxes.
 * ONNX Runtime's own threads would need an isolated page, and would share every small step. These workers share whole jobs.
 */

import * as Comlink from "comlink";

import { EngineError, PhotoError, RELOAD, WHOLE, workerName, type EmbedderSizes, type GraphName, type Manifest } from "../../contract";
import { newId } from "../../new-id";
import type { Arrivals, Sizes } from "../assets";
import type { Graphs, Held, Outputs, PlainTensor } from "./graphs";
import script from "./graphs?worker&url";
import type { Report } from "../report";
import { inTime } from "../life/awake";
import { startWorker } from "../life/start-worker";

/** This machine's memory in gigabytes. Firefox, Safari and pages over plain http hide it, and count as 4, because phones end pages that use too much memory. */
const MEMORY = (navigator as { deviceMemory?: number }).deviceMemory ?? 4;
/** At most one worker for each core and for each 2 GB, and at most four, because each worker reserves 100 MB or more. */
const MOST = Math.max(1, Math.min(4, navigator.hardwareConcurrency, MEMORY / 2));
/** At most this many workers with the whole ONNX Runtime, which needs more time and memory to start. */
const MOST_WHOLE = Math.min(2, MOST);

/** Whether this engine has the whole ONNX Runtime from the start, and no other. */
const STARTS_WHOLE = PLAIN || workerName === RELOAD;

/** Milliseconds for a question to the trimmed runtime. If it needs longer, it has read memory that was left out, and never returns. */
const PATIENCE = 30_000;
/** Milliseconds for a question to the whole runtime, which lacks nothing, so slow machines get more time. Then the network counts as endless. */
const PATIENCE_WHOLE = 120_000;
/** Milliseconds for another network to load and to answer a trial run. */
const PATIENCE_TRIAL = 15_000;
/** Milliseconds for a worker to say what has arrived, because a worker that computes cannot answer. */
const PAUSE = 1000;
/** Rounds of warming up after which the browser has optimised the functions that matter. */
const WARM_ROUNDS = 3;
/** Milliseconds before the pool asks a new page for ports, because the page may be drawing and waiting for its first answer. */
const QUIET = 1000;

/** The message if the whole ONNX Runtime gives a wrong answer, too. */
const WRONG = "The networks give wrong results in this browser, so there are no answers. Update the browser, or use another one.";

/** The fewest rows that make a share worthwhile, because each share has to shrink the photo again. */
const LEAST: Record<GraphName, number> = { pnet: 1, rnet: 16, onet: 4, embedder: 1 };

/** A photo with its pixels, RGB, from which workers get copies. */
export interface Photo extends Held {
  data: Uint8Array;
}

interface Member {
  /** The name of a shared worker, by which pages connect to it. */
  name?: string;
  worker: Worker | MessagePort;
  graphs: Comlink.Remote<Graphs>;
  /** The numbers of the photos that this worker holds. */
  photos: Set<number>;
}

type Prepare = (member: Member) => Promise<void>;
const nothingToPrepare: Prepare = async () => {};

/** Gets a shared worker, new or existing, from a page by name, because shared workers cannot start workers. */
export type GetWorker = (name: string) => Promise<MessagePort>;

export class Pool {
  #members: Member[] = [];
  /** Workers that are starting. */
  readonly #starting = new Set<Member>();
  readonly #begun: Promise<void>;
  #getWorker: GetWorker | undefined;
  /** Resolves when this worker, or a page in its place, can start workers. */
  readonly #canGetWorkers: Promise<void>;
  #allowWorkers = () => {};
  #manifest!: Manifest;
  /** Prepares a worker for the network in use. */
  #prepare: Prepare = nothingToPrepare;
  #grown = false;
  /** Whether the whole ONNX Runtime is in use; whether it must stay in use; whether the trimmed one is why the last question failed. */
  #whole = STARTS_WHOLE;
  #distrusted = this.#whole;
  #trimmedFailed = false;
  /** The numbers of photos that have not been released. */
  readonly #held = new Set<number>();
  #numbers = 0;

  /** `first`: the port to a worker that a page has started, if this worker cannot start one. */
  constructor(first?: Promise<MessagePort>) {
    this.#begun = this.#begin(first);
    this.#canGetWorkers = first ? new Promise((resolve) => (this.#allowWorkers = resolve)) : Promise.resolve();
  }

  async #begin(first?: Promise<MessagePort>): Promise<void> {
    this.#members = [first ? connected(await first) : vital(start(workerName))];
  }

  /** Gets workers from this page from now on. The last page may have left some requests unanswered. */
  getWorkersFrom(getWorker: GetWorker): void {
    this.#getWorker = getWorker;
    this.#allowWorkers();
    this.#grown = false;
    setTimeout(() => this.#show(getWorker), QUIET);
  }

  /** Makes the page connect to all workers, because the browser ends a shared worker some minutes after all pages that connected are gone. */
  #show(getWorker: GetWorker): void {
    if (getWorker !== this.#getWorker) return;
    for (const { name } of this.#members) if (name) getWorker(name).then((port) => port.close(), () => {}); // the pool uses the port that it has
  }

  /** Whether the trimmed ONNX Runtime has failed, and the whole one replaces it. */
  get distrusted(): boolean {
    return this.#distrusted && !STARTS_WHOLE;
  }

  /** Whether the runtime has changed since the start. */
  get changed(): boolean {
    return this.#whole !== STARTS_WHOLE || this.distrusted;
  }

  /** Resolves when the first worker is ready. */
  async load(sizes: Sizes, manifest: Manifest, report: Report): Promise<void> {
    this.#manifest = manifest;
    await this.#begun;
    const { graphs } = this.#members[0]!;
    await graphs.load(sizes, manifest, Comlink.proxy(report));
    const right = await this.#withDeadline(graphs.isRight()).catch((error: unknown) => {
      if (!this.#trimmedFailed) throw error;
    });
    if (right) return;
    if (this.#whole) throw new EngineError(WRONG);
    await this.useWhole();
  }

  /** Warms up the first worker. The others share the code that the browser compiles for it. */
  async warmUp(): Promise<void> {
    await this.#withDeadline(this.#members[0]!.graphs.warmUp());
  }

  /** Starts more workers for jobs that they can share. Each works as soon as it is ready. If one does not start, the others do its work. */
  grow(): void {
    if (this.#grown) return;
    this.#grown = true;
    for (let more = (this.#whole ? MOST_WHOLE : MOST) - this.#all.length; more > 0; more--) void this.#add(this.#members).catch(() => {});
  }

  async #add(members: Member[]): Promise<void> {
    const [getWorker, prepare] = [this.#getWorker, this.#prepare];
    const member = await this.#ready(this.#whole ? WHOLE : "", prepare);
    if (members !== this.#members || prepare !== this.#prepare || getWorker !== this.#getWorker) {
      this.#grown = false; // other workers have replaced these, another network is in use, or the page is gone
      return end(member);
    }
    members.push(vital(member));
    for (let round = 0; round < WARM_ROUNDS; round++) await member.graphs.warmUp().catch(() => {}); // a later question reports what is wrong
  }

  /** See Assets. */
  async arrivals(): Promise<Arrivals> {
    const busy = new Promise<Arrivals>((resolve) => setTimeout(() => resolve({ bytes: 0, files: [] }), PAUSE));
    const all = await Promise.all(this.#all.map(({ graphs }) => Promise.race([graphs.arrivals(), busy])));
    return { bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), files: all.flatMap(({ files }) => files) };
  }

  /** See Assets. */
  giveUp(why: string): void {
    for (const { graphs } of this.#all) void graphs.giveUp(why);
  }

  get #all(): Member[] {
    return [...this.#members, ...this.#starting];
  }

  /** Replaces all workers for good with one that has the whole ONNX Runtime. */
  async useWhole(): Promise<void> {
    this.#distrusted = true;
    this.#trimmedFailed = false;
    await this.#replaceAll(true);
  }

  /** Replaces all workers with one. If the new one does not start, or cannot be prepared, the old ones stay. */
  async #replaceAll(whole: boolean, prepare = nothingToPrepare): Promise<void> {
    if (whole === this.#whole) return;
    const only = await this.#ready(whole ? WHOLE : "", prepare);
    this.#members.forEach(end);
    this.#members = [vital(only)];
    this.#prepare = prepare;
    this.#whole = whole;
    this.#grown = false;
  }

  /** Prepares all workers but the first, and ends those that fail, because memory may be short. */
  async #prepareOthers(prepare: Prepare): Promise<void> {
    const [, ...others] = this.#members;
    const prepared = await Promise.allSettled(others.map(prepare));
    others.filter((_, i) => prepared[i]!.status === "rejected").forEach((one) => this.#dismiss(one));
  }

  async #ready(kind: string, prepare = nothingToPrepare): Promise<Member> {
    await this.#canGetWorkers;
    const member = this.#getWorker ? await fromPage(this.#getWorker, `${kind} ${newId()}`) : start(kind);
    const broken = new Promise<never>((_, reject) =>
      member.worker.addEventListener("error", (event) => {
        event.preventDefault(); // the page can go on without this worker
        reject(new Error((event as ErrorEvent).message));
      }),
    );
    this.#starting.add(member);
    try {
      await Promise.race([member.graphs.load([], this.#manifest, Comlink.proxy(() => {})), broken]);
      if (!(await Promise.race([member.graphs.isRight(), broken]))) throw new EngineError(WRONG);
      await prepare(member);
      return member;
    } catch (error) {
      end(member);
      throw error;
    } finally {
      this.#starting.delete(member);
    }
  }

  /** Ends all workers. */
  end(): void {
    this.#members.forEach(end);
  }

  #dismiss(member: Member): void {
    end(member);
    this.#members = this.#members.filter((one) => one !== member);
  }

  /** See Graphs.use. Other networks need the whole ONNX Runtime, and a reader's may never end. If one fails, the network in use stays. */
  async use(file: ArrayBuffer | null, sizes: EmbedderSizes, known?: number[]): Promise<void> {
    const whole = file !== null || this.#distrusted;
    const seconds = PATIENCE_TRIAL / 1000;
    const late = () => new PhotoError(`This network did not answer a trial run within ${seconds} seconds, so the network before it stays in use.`);
    const prepare: Prepare = ({ graphs }) => inTime(graphs.use(file, sizes, known), PATIENCE_TRIAL, late);
    if (whole !== this.#whole) return this.#replaceAll(whole, prepare);
    if (file) end(await this.#ready(WHOLE, prepare)); // the first run is in a worker that nothing else needs
    this.#prepare = prepare; // for workers that are starting
    this.#grown = false;
    await prepare(this.#members[0]!);
    await this.#prepareOthers(prepare);
  }

  hold(data: Uint8Array, dims: number[]): Photo {
    const photo = { id: ++this.#numbers, dims, data };
    this.#held.add(photo.id);
    this.#workerWith(photo, 0); // the copy is made while the page and Python prepare their first question
    return photo;
  }

  release({ id }: Held): void {
    this.#held.delete(id);
    for (const { graphs, photos } of this.#members) if (photos.delete(id)) void graphs.release(id);
  }

  /** A worker that has the photo from now on. Not every worker gets a copy, because most photos are little work. */
  #workerWith({ id, dims, data }: Photo, number: number): Comlink.Remote<Graphs> {
    if (!this.#held.has(id)) throw new EngineError("That photo was removed.");
    const { graphs, photos } = this.#members[number % this.#members.length]!;
    if (!photos.has(id)) {
      const copy = data.slice(); // moving a copy is faster than letting the browser copy
      void graphs.hold(id, dims, Comlink.transfer(copy, [copy.buffer])); // the next message finds the photo, because messages arrive in order
      photos.add(id);
    }
    return graphs;
  }

  /** All outputs of a graph whose second input and outputs have a row for each box. */
  async run(name: GraphName, photo: Photo, input: string, rows: PlainTensor): Promise<Outputs> {
    const { id, dims } = photo;
    const shares = split(rows, this.#members.length, LEAST[name]);
    const answers = shares.map((share, i) => this.#workerWith(photo, i).run(name, { image: { id, dims }, [input]: share }));
    return joined(await this.#withDeadline(Promise.all(answers)));
  }

  /** P-Net's outputs on each level of a photo's pyramid. Each level is made from the one before the last, which gives two independent chains. */
  async runPyramid(photo: Photo, sizes: [number, number][]): Promise<Outputs[]> {
    const { id, dims } = photo;
    const chains = [0, 1].map((odd) => this.#workerWith(photo, odd).runLevels({ id, dims }, sizes.filter((_, level) => level % 2 === odd)));
    const answers = await this.#withDeadline(Promise.all(chains));
    return sizes.map((_, level) => answers[level % 2]![level >> 1]!);
  }

  /** Whether the last question failed because of the trimmed ONNX Runtime. */
  get trimmedFailed(): boolean {
    return this.#trimmedFailed;
  }

  async #withDeadline<T>(answer: Promise<T>): Promise<T> {
    const late = () => {
      if (this.#whole) throwUncaught(new EngineError("A network does not finish, or this machine is too slow for it."));
      return new WebAssembly.RuntimeError("no answer");
    };
    try {
      return await inTime(answer, this.#whole ? PATIENCE_WHOLE : PATIENCE, late);
    } catch (error) {
      this.#trimmedFailed = !this.#whole && error instanceof Error && /RuntimeError/.test(`${error.name} ${error.message}`); // WebAssembly's own errors
      throw error;
    }
  }
}

function start(name: string): Member {
  return connected(startWorker(script, name));
}

/** A worker whose death also ends this worker and is reported to the page. */
function vital(member: Member): Member {
  member.worker.addEventListener("error", (event) => throwUncaught(new Error((event as ErrorEvent).message)));
  return member;
}

function throwUncaught(reason: Error): void {
  setTimeout(() => { throw reason; });
}

async function fromPage(getWorker: GetWorker, name: string): Promise<Member> {
  return { ...connected(await getWorker(name)), name };
}

function connected(worker: Worker | MessagePort): Member {
  return { worker, graphs: Comlink.wrap<Graphs>(worker), photos: new Set() };
}

function end({ worker, graphs }: Member): void {
  if ("terminate" in worker) worker.terminate();
  else void graphs.end();
}

/** Splits rows into at most `parts` parts, each of at least `least` rows unless it is the last. */
function split(rows: PlainTensor, parts: number, least: number): PlainTensor[] {
  const [count = 0, ...rest] = rows.dims;
  if (count < 2 * least) return [rows];
  const most = Math.max(least, Math.ceil(count / parts));
  const length = rows.data.length / count;
  return Array.from({ length: Math.ceil(count / most) }, (_, i) => {
    const data = rows.data.slice(i * most * length, (i + 1) * most * length);
    return { ...rows, dims: [data.length / length, ...rest], data };
  });
}

/** Joins the rows of all answers, for each output. */
function joined(answers: Outputs[]): Outputs {
  const [first] = answers as [Outputs];
  if (answers.length === 1) return first;
  return Object.fromEntries(
    Object.entries(first).map(([name, { type, dims }]) => {
      const parts = answers.map((answer) => answer[name]!);
      const sum = (number: (part: PlainTensor) => number) => parts.reduce((before, part) => before + number(part), 0);
      const data = new (type === "uint8" ? Uint8Array : Float32Array)(sum((part) => part.data.length));
      let at = 0;
      for (const part of parts) {
        data.set(part.data, at);
        at += part.data.length;
      }
      return [name, { type, dims: [sum((part) => part.dims[0]!), ...dims.slice(1)], data }];
    }),
  );
}
