/**
 * ONNX Runtime in a worker for each core, up to four: all have all networks, and each answers for its share of a photo's boxes. Threads of
 * ONNX Runtime's own need a page that nobody else's may be part of, and share each small step; these share a job as a whole, and need nothing.
 */

import * as Comlink from "comlink";

import { EngineError, PhotoError, RELOAD, WHOLE, workerName, type EmbedderSizes, type GraphName, type Manifest } from "../contract";
import { newId } from "../new-id";
import type { Arrivals, Sizes } from "./assets";
import type { Graphs, Held, Outputs, Plain } from "./graphs";
import script from "./graphs?worker&url";
import type { Report } from "./report";
import { startWorker } from "./start-worker";

const MOST = Math.min(4, navigator.hardwareConcurrency);
/** Of those with all of ONNX Runtime, which take more time and memory to start. */
const MOST_WHOLE = Math.min(2, MOST);

/** Milliseconds for one network. If that is not enough, the trimmed runtime has come to memory that it does without, and does not come back. */
const PATIENCE = 30_000;
/** The same of the whole one, which lacks nothing: slow machines are given more time. After that the network is taken to go on for ever. */
const PATIENCE_WHOLE = 120_000;
/** Milliseconds for another network to be opened and to answer on a trial run. */
const PATIENCE_TRIAL = 15_000;
/** Milliseconds for a worker to say what it waits for: one that computes cannot. */
const PAUSE = 1000;
/** After which the browser has compiled for speed, for all members, what counts. */
const WARM_ROUNDS = 3;
/** Milliseconds in which a page that has just come is left alone: it may be drawing, and wait for its first answer. */
const QUIET = 1000;

/** Where ONNX Runtime as published does not give the known answer either. */
const WRONG = "The networks give wrong results in this browser, so there are no answers. Update the browser, or use another one.";

/** Rows below which a share is not worth it: each share has to shrink the photo for itself. */
const LEAST: Record<GraphName, number> = { pnet: 1, rnet: 16, onet: 4, embedder: 1 };

/** A photo that the workers may have, and its pixels, RGB. */
export interface Photo extends Held {
  data: Uint8Array;
}

interface Member {
  /** Of its worker, where another page can come to know that by it. */
  name?: string;
  worker: Worker | MessagePort;
  graphs: Comlink.Remote<Graphs>;
  /** Numbers of the photos that it has. */
  has: Set<number>;
}

type Prepare = (member: Member) => Promise<void>;

/** How a worker of a name, a new one or one that there is, is had where this one may not start any. */
export type Hire = (name: string) => Promise<MessagePort>;

export class Pool {
  #members: Member[] = [];
  /** Those that are being started. */
  readonly #starting = new Set<Member>();
  readonly #begun: Promise<void>;
  #hire: Hire | undefined;
  /** When there is one, where this worker may not start any itself. */
  readonly #mayHire: Promise<void>;
  #nowHire = () => {};
  #manifest!: Manifest;
  #grown = false;
  /** Whether ONNX Runtime is the whole one; whether it has to stay so, as the trimmed one has failed; whether it just has. */
  #whole = workerName === RELOAD;
  #distrusted = this.#whole;
  #lacking = false;
  /** Photos that have not been released. */
  readonly #held = new Set<number>();
  #numbers = 0;

  /** `first`: a worker with ONNX Runtime, where this one may not start any: a page brings it before it asks for anything. */
  constructor(first?: Promise<MessagePort>) {
    this.#begun = this.#begin(first);
    this.#mayHire = first ? new Promise((resolve) => (this.#nowHire = resolve)) : Promise.resolve();
  }

  async #begin(first?: Promise<MessagePort>): Promise<void> {
    this.#members = [first ? reached(await first) : bound(start(workerName))];
  }

  /** From now on. What the page before was asked for, it may have left undone. */
  hireBy(hire: Hire): void {
    this.#hire = hire;
    this.#nowHire();
    if (this.#members.length < MOST) this.#grown = false;
    setTimeout(() => this.#show(hire), QUIET);
  }

  /** All workers to the page that this engine is with: the browser ends those that no page has asked for in its last five minutes. */
  #show(hire: Hire): void {
    if (hire !== this.#hire) return;
    for (const { name } of this.#members) if (name) hire(name).then((port) => port.close(), () => {}); // the port that there is will do
  }

  /** Whether the trimmed ONNX Runtime has failed, and the whole one is used in its place. */
  get distrusted(): boolean {
    return this.#distrusted && workerName !== RELOAD;
  }

  /** Whether it has become another than it was at first. */
  get changed(): boolean {
    return this.#whole || this.#distrusted;
  }

  /** Until the first is ready. */
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

  /** Of the first; what the browser compiles for it, the others have too. */
  async warmUp(): Promise<void> {
    await this.#asked(this.#members[0]!.graphs.warmUp());
  }

  /** More workers, now that the browser has the files: each from when it is ready on. Where one does not start, the others do its work. */
  grow(): void {
    if (this.#whole || this.#grown) return;
    this.#grown = true;
    for (let more = MOST - 1; more > 0; more--) void this.#join(this.#members);
  }

  async #join(members: Member[]): Promise<void> {
    const hire = this.#hire;
    const member = await this.#ready("").catch(() => undefined);
    if (!member) return;
    if (members !== this.#members || hire !== this.#hire) return end(member); // others have taken over, or its page is gone
    members.push(bound(member));
    for (let round = 0; round < WARM_ROUNDS; round++) await member.graphs.warmUp().catch(() => {}); // a photo will tell what is wrong
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

  /** Workers with all of ONNX Runtime in place of those that there are, for good. */
  async takeWhole(): Promise<void> {
    this.#distrusted = true;
    this.#lacking = false;
    await this.#become(true);
  }

  /** `prepare`: before they are in use. Where none of the new workers starts, or the first cannot be prepared, those that there are stay. */
  async #become(whole: boolean, prepare: Prepare = async () => {}): Promise<void> {
    if (whole === this.#whole) return;
    const tried = await Promise.allSettled(Array.from({ length: whole ? MOST_WHOLE : 1 }, () => this.#ready(whole ? WHOLE : "")));
    const able = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (!able.length) throw (tried[0] as PromiseRejectedResult).reason;
    try {
      await prepare(able[0]!);
    } catch (error) {
      able.forEach(end);
      throw error;
    }
    this.#members.forEach(end);
    this.#members = able.map(bound);
    this.#whole = whole;
    this.#grown = false;
    await this.#prepareOthers(prepare);
  }

  /** All but the first; those that cannot be are dismissed: one may be short of memory. */
  async #prepareOthers(prepare: Prepare): Promise<void> {
    const [, ...others] = this.#members;
    const prepared = await Promise.allSettled(others.map(prepare));
    others.filter((_, i) => prepared[i]!.status === "rejected").forEach((one) => this.#dismiss(one));
  }

  async #ready(kind: string): Promise<Member> {
    await this.#mayHire;
    const member = this.#hire ? await hired(this.#hire, `${kind} ${newId()}`) : start(kind);
    const broken = new Promise<never>((_, reject) =>
      member.worker.addEventListener("error", (event) => {
        event.preventDefault(); // not the page's end
        reject(new Error((event as ErrorEvent).message));
      }),
    );
    this.#starting.add(member);
    try {
      await Promise.race([member.graphs.load([], this.#manifest, Comlink.proxy(() => {})), broken]);
      if (!(await Promise.race([member.graphs.isRight(), broken]))) throw new EngineError(WRONG);
      return member;
    } catch (error) {
      end(member);
      throw error;
    } finally {
      this.#starting.delete(member);
    }
  }

  /** Of all workers. */
  end(): void {
    this.#members.forEach(end);
  }

  #dismiss(member: Member): void {
    end(member);
    this.#members = this.#members.filter((one) => one !== member);
  }

  /** See Graphs.use. Networks of others may call for anything, and may never end; the own ones not. Where this fails, the one in use stays. */
  async use(file: ArrayBuffer | null, told: EmbedderSizes, known?: number[]): Promise<void> {
    const whole = file !== null || this.#distrusted;
    const prepare: Prepare = ({ graphs }) => inTime(graphs.use(file, told, known));
    if (whole !== this.#whole) return this.#become(whole, prepare);
    if (file) {
      const trial = await this.#ready(WHOLE);
      await prepare(trial).finally(() => end(trial));
    }
    await prepare(this.#members[0]!);
    await this.#prepareOthers(prepare);
  }

  hold(data: Uint8Array, dims: number[]): Photo {
    const photo = { id: ++this.#numbers, dims, data };
    this.#held.add(photo.id);
    this.#seeing(photo, 0); // while the page, and Python, come to their first question
    return photo;
  }

  release({ id }: Held): void {
    this.#held.delete(id);
    for (const { graphs, has } of this.#members) if (has.delete(id)) void graphs.release(id);
  }

  /** A member that has a photo from now on: most photos are small work, and need no copy with every one. */
  #seeing({ id, dims, data }: Photo, number: number): Comlink.Remote<Graphs> {
    if (!this.#held.has(id)) throw new EngineError("That photo was removed.");
    const { graphs, has } = this.#members[number % this.#members.length]!;
    if (!has.has(id)) {
      const copy = data.slice(); // what moves arrives sooner than what the browser copies on the way
      void graphs.hold(id, dims, Comlink.transfer(copy, [copy.buffer])); // answers come in the order of the questions: nobody need wait
      has.add(id);
    }
    return graphs;
  }

  /** All outputs of a graph. Its input besides the photo has a row for each box, as have its outputs. */
  async run(name: GraphName, photo: Photo, input: string, rows: Plain): Promise<Outputs> {
    const { id, dims } = photo;
    const shares = shared(rows, this.#members.length, LEAST[name]);
    const answers = shares.map((share, i) => this.#seeing(photo, i).run(name, { image: { id, dims }, [input]: share }));
    return joined(await this.#asked(Promise.all(answers)));
  }

  /** P-Net's outputs on each level of a photo's pyramid. Each level is made from the one before the last: two chains, which know nothing of each other. */
  async runPyramid(photo: Photo, sizes: [number, number][]): Promise<Outputs[]> {
    const { id, dims } = photo;
    const chains = [0, 1].map((odd) => this.#seeing(photo, odd).runLevels({ id, dims }, sizes.filter((_, level) => level % 2 === odd)));
    const answers = await this.#asked(Promise.all(chains));
    return sizes.map((_, level) => answers[level % 2]![level >> 1]!);
  }

  /** Whether the trimmed ONNX Runtime, and nothing else, is why the last question found no answer. */
  get lacking(): boolean {
    return this.#lacking;
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    let clock: ReturnType<typeof setTimeout> | undefined;
    const lost = new Promise<never>((_, reject) => {
      const giveUp = () => {
        if (this.#whole) died(new EngineError("A network does not finish, or this machine is too slow for it."));
        reject(new WebAssembly.RuntimeError("no answer"));
      };
      clock = setTimeout(giveUp, this.#whole ? PATIENCE_WHOLE : PATIENCE);
    });
    try {
      return await Promise.race([answer, lost]);
    } catch (error) {
      this.#lacking = !this.#whole && error instanceof Error && /RuntimeError/.test(`${error.name} ${error.message}`); // WebAssembly's own
      throw error;
    } finally {
      clearTimeout(clock);
    }
  }
}

function start(name: string): Member {
  return reached(startWorker(script, name));
}

/** Where it dies, so does this worker, and the page hears of it. */
function bound(member: Member): Member {
  member.worker.addEventListener("error", (event) => died(new Error((event as ErrorEvent).message)));
  return member;
}

function died(reason: Error): void {
  setTimeout(() => { throw reason; });
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let clock: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const sentence = `This network did not answer a trial run within ${PATIENCE_TRIAL / 1000} seconds, so the network before it stays in use.`;
    clock = setTimeout(() => reject(new PhotoError(sentence)), PATIENCE_TRIAL);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(clock));
}

async function hired(hire: Hire, name: string): Promise<Member> {
  return { ...reached(await hire(name)), name };
}

function reached(worker: Worker | MessagePort): Member {
  return { worker, graphs: Comlink.wrap<Graphs>(worker), has: new Set() };
}

function end({ worker, graphs }: Member): void {
  if ("terminate" in worker) worker.terminate();
  else void graphs.end();
}

/** Rows in at most so many parts, of `least` at least. */
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

/** Of each output, the rows of all answers. */
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
