/**
 * ONNX Runtime in one worker and, for group photos and albums, in several. Each worker has all networks and takes a share of a photo's boxes. ONNX Runtime's
 * own threads would need an isolated page, and share every small step; these workers share whole jobs.
 */

import * as Comlink from "comlink";

import { EngineError, PhotoError, RELOAD, WHOLE, workerName, type EmbedderSizes, type GraphName, type Manifest } from "../../contract";
import { newId } from "../../new-id";
import type { Arrivals, Sizes } from "../assets";
import type { Graphs, Held, Outputs, Plain } from "./graphs";
import script from "./graphs?worker&url";
import type { Report } from "../report";
import { afterAwake } from "../life/awake";
import { startWorker } from "../life/start-worker";

/** Gigabytes of this machine. Firefox, Safari and pages over plain http do not tell, and count as 4, because a phone ends a page that takes too much memory. */
const MEMORY = (navigator as { deviceMemory?: number }).deviceMemory ?? 4;
/** A worker for each core and for each 2 GB, up to four: each reserves 100 MB or more, beside Python and other pages. */
const MOST = Math.max(1, Math.min(4, navigator.hardwareConcurrency, MEMORY / 2));
/** At most this many workers with the whole ONNX Runtime, which takes more time and memory to start. */
const MOST_WHOLE = Math.min(2, MOST);

/** Whether this engine has the whole ONNX Runtime from the start, and no other. */
const STARTS_WHOLE = PLAIN || workerName === RELOAD;

/** Milliseconds for one network. A trimmed runtime that needs longer has read memory that was left out, and never returns. */
const PATIENCE = 30_000;
/** The same for the whole runtime, which lacks nothing, so slow machines get more time. After that, the network counts as endless. */
const PATIENCE_WHOLE = 120_000;
/** Milliseconds for another network to load and to answer a trial run. */
const PATIENCE_TRIAL = 15_000;
/** Milliseconds for a worker to report its state; a worker that computes cannot. */
const PAUSE = 1000;
/** Rounds after which the browser has compiled the important functions for speed, for all workers. */
const WARM_ROUNDS = 3;
/** Milliseconds in which a new page is left alone, because it may be drawing and waiting for its first answer. */
const QUIET = 1000;

/** The message if the published ONNX Runtime gives a wrong known answer, too. */
const WRONG = "The networks give wrong results in this browser, so there are no answers. Update the browser, or use another one.";

/** Rows below which a share is not worthwhile, because each share has to shrink the photo again. */
const LEAST: Record<GraphName, number> = { pnet: 1, rnet: 16, onet: 4, embedder: 1 };

/** A photo for the workers, with its pixels, RGB. */
export interface Photo extends Held {
  data: Uint8Array;
}

interface Member {
  /** The worker's name, if other pages can find the worker by it. */
  name?: string;
  worker: Worker | MessagePort;
  graphs: Comlink.Remote<Graphs>;
  /** The numbers of the photos that it holds. */
  has: Set<number>;
}

type Prepare = (member: Member) => Promise<void>;
const asItIs: Prepare = async () => {};

/** Gets a worker by name, new or existing, from a page, where this worker cannot start workers itself. */
export type GetWorker = (name: string) => Promise<MessagePort>;

export class Pool {
  #members: Member[] = [];
  /** Workers that are starting. */
  readonly #starting = new Set<Member>();
  readonly #begun: Promise<void>;
  #getWorker: GetWorker | undefined;
  /** Resolves when a page can start workers, where this worker cannot. */
  readonly #canGetWorkers: Promise<void>;
  #nowItCan = () => {};
  #manifest!: Manifest;
  /** Prepares a worker for the network in use. */
  #prepare: Prepare = asItIs;
  #grown = false;
  /** Whether the whole ONNX Runtime is in use; whether it has to stay in use because the trimmed one has failed; whether it has just failed. */
  #whole = STARTS_WHOLE;
  #distrusted = this.#whole;
  #lacking = false;
  /** The numbers of photos that have not been released. */
  readonly #held = new Set<number>();
  #numbers = 0;

  /** `first`: a worker with ONNX Runtime that a page brings, where this worker cannot start one. */
  constructor(first?: Promise<MessagePort>) {
    this.#begun = this.#begin(first);
    this.#canGetWorkers = first ? new Promise((resolve) => (this.#nowItCan = resolve)) : Promise.resolve();
  }

  async #begin(first?: Promise<MessagePort>): Promise<void> {
    this.#members = [first ? reached(await first) : bound(start(workerName))];
  }

  /** Get workers from this page from now on. The page before may have left some requests undone. */
  getWorkersFrom(getWorker: GetWorker): void {
    this.#getWorker = getWorker;
    this.#nowItCan();
    this.#grown = false;
    setTimeout(() => this.#show(getWorker), QUIET);
  }

  /** Name all workers to the current page, because the browser ends workers that no page has requested in the last five minutes. */
  #show(getWorker: GetWorker): void {
    if (getWorker !== this.#getWorker) return;
    for (const { name } of this.#members) if (name) getWorker(name).then((port) => port.close(), () => {}); // the existing port is kept
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
    const right = await this.#asked(graphs.isRight()).catch((error: unknown) => {
      if (!this.#lacking) throw error;
    });
    if (right) return;
    if (this.#whole) throw new EngineError(WRONG);
    await this.takeWhole();
  }

  /** Warm up the first worker. The others share what the browser compiles for it. */
  async warmUp(): Promise<void> {
    await this.#asked(this.#members[0]!.graphs.warmUp());
  }

  /** Start more workers, for a job that they can share. Each works as soon as it is ready. If one does not start, the others do its work. */
  grow(): void {
    if (this.#grown) return;
    this.#grown = true;
    for (let more = (this.#whole ? MOST_WHOLE : MOST) - this.#all.length; more > 0; more--) void this.#join(this.#members).catch(() => {});
  }

  async #join(members: Member[]): Promise<void> {
    const [getWorker, prepare] = [this.#getWorker, this.#prepare];
    const member = await this.#ready(this.#whole ? WHOLE : "", prepare);
    if (members !== this.#members || prepare !== this.#prepare || getWorker !== this.#getWorker) {
      this.#grown = false; // other workers have replaced these, another network is in use, or the page is gone
      return end(member);
    }
    members.push(bound(member));
    for (let round = 0; round < WARM_ROUNDS; round++) await member.graphs.warmUp().catch(() => {}); // a photo will show what is wrong
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

  /** Replace all workers for good by workers with the whole ONNX Runtime. */
  async takeWhole(): Promise<void> {
    this.#distrusted = true;
    this.#lacking = false;
    await this.#become(true);
  }

  /** Replace all workers by one. If it does not start, or cannot be prepared, the old ones stay. */
  async #become(whole: boolean, prepare = asItIs): Promise<void> {
    if (whole === this.#whole) return;
    const only = await this.#ready(whole ? WHOLE : "", prepare);
    this.#members.forEach(end);
    this.#members = [bound(only)];
    this.#prepare = prepare;
    this.#whole = whole;
    this.#grown = false;
  }

  /** Prepare all workers but the first, and end those that fail: memory may be short. */
  async #prepareOthers(prepare: Prepare): Promise<void> {
    const [, ...others] = this.#members;
    const prepared = await Promise.allSettled(others.map(prepare));
    others.filter((_, i) => prepared[i]!.status === "rejected").forEach((one) => this.#dismiss(one));
  }

  async #ready(kind: string, prepare = asItIs): Promise<Member> {
    await this.#canGetWorkers;
    const member = this.#getWorker ? await gotten(this.#getWorker, `${kind} ${newId()}`) : start(kind);
    const broken = new Promise<never>((_, reject) =>
      member.worker.addEventListener("error", (event) => {
        event.preventDefault(); // the page survives this
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

  /** End all workers. */
  end(): void {
    this.#members.forEach(end);
  }

  #dismiss(member: Member): void {
    end(member);
    this.#members = this.#members.filter((one) => one !== member);
  }

  /** See Graphs.use. Other networks may call any function and may never end; the site's own do not. If this fails, the network in use stays. */
  async use(file: ArrayBuffer | null, told: EmbedderSizes, known?: number[]): Promise<void> {
    const whole = file !== null || this.#distrusted;
    const prepare: Prepare = ({ graphs }) => inTime(graphs.use(file, told, known));
    if (whole !== this.#whole) return this.#become(whole, prepare);
    if (file) end(await this.#ready(WHOLE, prepare)); // a trial
    this.#prepare = prepare; // for workers that are starting
    this.#grown = false;
    await prepare(this.#members[0]!);
    await this.#prepareOthers(prepare);
  }

  hold(data: Uint8Array, dims: number[]): Photo {
    const photo = { id: ++this.#numbers, dims, data };
    this.#held.add(photo.id);
    this.#seeing(photo, 0); // while the page and Python prepare their first question
    return photo;
  }

  release({ id }: Held): void {
    this.#held.delete(id);
    for (const { graphs, has } of this.#members) if (has.delete(id)) void graphs.release(id);
  }

  /** A worker that has the photo from now on. Most photos are little work and need no copy in every worker. */
  #seeing({ id, dims, data }: Photo, number: number): Comlink.Remote<Graphs> {
    if (!this.#held.has(id)) throw new EngineError("That photo was removed.");
    const { graphs, has } = this.#members[number % this.#members.length]!;
    if (!has.has(id)) {
      const copy = data.slice(); // moving a copy is faster than letting the browser copy
      void graphs.hold(id, dims, Comlink.transfer(copy, [copy.buffer])); // answers come in the order of the questions, so nothing has to wait
      has.add(id);
    }
    return graphs;
  }

  /** All outputs of a graph. Its second input and its outputs have a row for each box. */
  async run(name: GraphName, photo: Photo, input: string, rows: Plain): Promise<Outputs> {
    const { id, dims } = photo;
    const shares = shared(rows, this.#members.length, LEAST[name]);
    const answers = shares.map((share, i) => this.#seeing(photo, i).run(name, { image: { id, dims }, [input]: share }));
    return joined(await this.#asked(Promise.all(answers)));
  }

  /** P-Net's outputs on each level of a photo's pyramid. Each level is made from the one before the last, which gives two independent chains. */
  async runPyramid(photo: Photo, sizes: [number, number][]): Promise<Outputs[]> {
    const { id, dims } = photo;
    const chains = [0, 1].map((odd) => this.#seeing(photo, odd).runLevels({ id, dims }, sizes.filter((_, level) => level % 2 === odd)));
    const answers = await this.#asked(Promise.all(chains));
    return sizes.map((_, level) => answers[level % 2]![level >> 1]!);
  }

  /** Whether the trimmed ONNX Runtime is the only reason why the last question failed. */
  get lacking(): boolean {
    return this.#lacking;
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    let callOff = () => {};
    const lost = new Promise<never>((_, reject) => {
      const giveUp = () => {
        if (this.#whole) died(new EngineError("A network does not finish, or this machine is too slow for it."));
        reject(new WebAssembly.RuntimeError("no answer"));
      };
      callOff = afterAwake(this.#whole ? PATIENCE_WHOLE : PATIENCE, giveUp);
    });
    try {
      return await Promise.race([answer, lost]);
    } catch (error) {
      this.#lacking = !this.#whole && error instanceof Error && /RuntimeError/.test(`${error.name} ${error.message}`); // an error of WebAssembly itself
      throw error;
    } finally {
      callOff();
    }
  }
}

function start(name: string): Member {
  return reached(startWorker(script, name));
}

/** A worker whose death also ends this worker, which the page hears of. */
function bound(member: Member): Member {
  member.worker.addEventListener("error", (event) => died(new Error((event as ErrorEvent).message)));
  return member;
}

function died(reason: Error): void {
  setTimeout(() => { throw reason; });
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let callOff = () => {};
  const late = new Promise<never>((_, reject) => {
    const sentence = `This network did not answer a trial run within ${PATIENCE_TRIAL / 1000} seconds, so the network before it stays in use.`;
    callOff = afterAwake(PATIENCE_TRIAL, () => reject(new PhotoError(sentence)));
  });
  return Promise.race([answer, late]).finally(() => callOff());
}

async function gotten(getWorker: GetWorker, name: string): Promise<Member> {
  return { ...reached(await getWorker(name)), name };
}

function reached(worker: Worker | MessagePort): Member {
  return { worker, graphs: Comlink.wrap<Graphs>(worker), has: new Set() };
}

function end({ worker, graphs }: Member): void {
  if ("terminate" in worker) worker.terminate();
  else void graphs.end();
}

/** Split rows into at most `most` parts, each of `least` rows or more. */
function shared(rows: Plain, parts: number, least: number): Plain[] {
  const [count = 0, ...rest] = rows.dims;
  if (count < 2 * least) return [rows];
  const most = Math.max(least, Math.ceil(count / parts));
  const length = rows.data.length / count;
  return Array.from({ length: Math.ceil(count / most) }, (_, i) => {
    const data = rows.data.slice(i * most * length, (i + 1) * most * length);
    return { ...rows, dims: [data.length / length, ...rest], data };
  });
}

/** Join the rows of all answers, for each output. */
function joined(answers: Outputs[]): Outputs {
  const [first] = answers as [Outputs];
  if (answers.length === 1) return first;
  return Object.fromEntries(
    Object.entries(first).map(([name, { type, dims }]) => {
      const parts = answers.map((answer) => answer[name]!);
      const sum = (number: (part: Plain) => number) => parts.reduce((before, part) => before + number(part), 0);
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
