/** The words that the page, the worker and Python share. Boxes and landmarks: pixels of the photo, origin top left, x right, y down. */

export type SlotName = "a" | "b";

/** A photo's pixels: RGBA, 8 bits each, row by row, opaque. */
export interface Pixels {
  width: number;
  height: number;
  rgba: ArrayBuffer;
}

export type Point = [x: number, y: number];

export interface Face {
  box: [x1: number, y1: number, x2: number, y2: number];
  score: number;
  /** Left eye, right eye, nose, left and right corner of the mouth, as seen in the upright face. */
  landmarks: Point[];
  /** Degrees, clockwise, by which the photo had to be turned for the face to be found. */
  turned: 0 | 90 | 180 | 270;
}

export interface Analysis {
  photo: { width: number; height: number };
  /** Largest first. */
  faces: Face[];
  chosen: number | null;
  /** Whether smaller faces were looked for too. */
  complete: boolean;
  milliseconds: { detect: number };
}

export interface Embedded {
  /** RGB, `chip_size` x `chip_size`. */
  chip: Uint8Array;
  chip_size: number;
  embedding: Float32Array;
  /** What is wrong with the face, each a word such as "blurred"; empty for a good one. */
  poor: string[];
  milliseconds: { align: number; embed: number };
}

/** The largest face of a photo, chosen, and what was made of it. */
export interface Found extends Analysis {
  /** Where there is a face. */
  embedded?: Embedded;
}

export type VerdictName = "same" | "different" | "unsure";

/** Where the answers change: "same" below the one, "different" from the other on. */
export interface Scale {
  sure_below: number;
  threshold: number;
}

/** The scale is this answer's own: a poor face moves it. Null where nobody has measured yet what the embedder's distances mean. */
export interface Verdict {
  verdict: VerdictName | null;
  sure_below: number | null;
  threshold: number | null;
  /** It decides: the plain one, or the one corrected by the crowdedness of both faces, which can be a little below zero. */
  distance: number;
  plain_distance: number;
  /** Mean distance of each face to its nearest neighbours in the cohort; null where the distance is the plain one. */
  crowdedness: [a: number, b: number] | null;
  /** Of one person, if one and two were as likely before. */
  probability: number | null;
  words: string;
}

/** In the order in which their sessions are made. */
export const GRAPHS = ["pnet", "rnet", "onet", "embedder"] as const;
export type GraphName = (typeof GRAPHS)[number];

/** A file beside models.json. */
export interface ModelFile {
  file: string;
  sha256: string;
  bytes: number;
}

/** `known`: of an embedder, what it answers to a known picture: see engine/known-answer.ts. */
interface StoredGraph extends ModelFile {
  known?: number[];
}

/** What a network takes and gives: the side of a chip in pixels, and how many numbers. */
export interface EmbedderSizes {
  dimensions: number;
  chip_size: number;
}

/** The embedder in use. `measured`: whether its distances are calibrated. `normalised`: whether its distances are corrected for crowding. */
export interface EmbedderInUse extends EmbedderSizes {
  name: string;
  measured: boolean;
  normalised: boolean;
}

/** One that models.json lists, by name, or a file of the reader's own. `normalise`: correct its distances for crowding. */
export type EmbedderChoice = { name: string; normalise?: boolean } | { file: ArrayBuffer };

/** Of the embedder in use, for faces seen well; `group_limit`: the mean distance up to which the album puts faces together. */
export interface EmbedderScale extends Thresholds {
  group_limit: number;
}

/** Distances: "same" below the one, "different" from the other on. */
export interface Thresholds {
  same_below: number;
  different_from: number;
}

/** An embedder as models.json describes it. `cohort`: by which its distances can be corrected for crowding; a build can leave it out. */
export interface EmbedderEntry extends EmbedderSizes {
  name: string;
  calibration?: { good: Thresholds } | null;
  cohort?: (ModelFile & { calibration?: object | null }) | null;
}

type GraphFile = StoredGraph & { compact?: StoredGraph };

/** What this side reads of models.json. */
export interface Manifest {
  photo: { max_side: number };
  /** `compact`: the same graph with its weights in fewer bits, or in the form that is faster in WebAssembly. */
  graphs: Record<GraphName, GraphFile>;
  /** The one that the engine comes with. */
  embedder: EmbedderEntry;
  /** Others to choose from, by name. */
  embedders?: Record<string, { graph: GraphFile; embedder: EmbedderEntry }>;
}

/** The file that the page takes. */
export const storedIn = ({ graphs }: Pick<Manifest, "graphs">, name: GraphName): StoredGraph => graphs[name].compact ?? graphs[name];

export interface Progress {
  loaded: number;
  total: number;
  /** What is arriving, or what is being started. */
  what: string;
}

/** An engine that is ready. */
export interface Started {
  /** How many that took: none, where a page before has seen to it. */
  bytes: number;
  /** The trimmed ONNX Runtime did not give the known answer: the whole one is in use. */
  distrusted: boolean;
}

// The chapters' labs and cells: facelab.labs.panels and facelab.cells, as this side reads them.

/** 8 bits a channel, row by row. */
export interface Picture {
  height: number;
  width: number;
  rgb: Uint8Array;
}

export type Tone = "" | "good" | "bad" | "warn";

export interface Box {
  corners: [x1: number, y1: number, x2: number, y2: number];
  label: string;
  tone: Tone;
  faint: boolean;
}

export interface PicturePanel {
  kind: "picture";
  pixels: Picture;
  alt: string;
  caption: string;
  boxes: Box[];
  dots: { x: number; y: number; name: string }[];
  small: boolean;
}

export interface ChartLine {
  name: string;
  x: number[];
  y: number[];
  style: "line" | "dashed" | "points" | "bars";
  tone: Tone;
  labels: string[];
}

export interface ChartPanel {
  kind: "chart";
  alt: string;
  lines: ChartLine[];
  x: string;
  y: string;
  caption: string;
  x_limits: [number, number] | null;
  y_limits: [number, number] | null;
  x_log: boolean;
  y_log: boolean;
  marks: [name: string, at: number][];
  square: boolean;
  small: boolean;
}

export interface FactsPanel {
  kind: "facts";
  facts: { label: string; value: string; note: string; tone: Tone }[];
}

export interface GridPanel {
  kind: "grid";
  columns: string[];
  rows: string[][];
  caption: string;
  tones: Tone[][];
}

export type Panel = PicturePanel | ChartPanel | FactsPanel | GridPanel;

interface Slider {
  kind: "slider";
  low: number;
  high: number;
  step: number;
  start: number;
  unit: string;
  only: [choice: string, values: string | string[]] | null;
  /** Whether there is a button that moves it to its end, step by step. */
  play: boolean;
}

export type Control = { name: string; label: string } & (
  | Slider
  | { kind: "choice"; options: [value: string, label: string][]; start: string }
  | { kind: "switch"; start: boolean }
  | { kind: "button"; start: number }
);

export type Settings = Record<string, number | string | boolean>;

/** How a chapter's HTML describes a lab. */
export interface LabDescription {
  title: string;
  controls: Control[];
  settings: Settings;
  wants_photo: boolean;
  /** Whether a first, cheap answer may be had while a slider still moves. */
  quick: boolean;
}

export interface Outcome {
  text: string;
  shown: { pixels: Picture; faces: Face[]; caption: string }[];
  error: string | null;
  /** Of the cell, from 1; null where the error has no line. */
  line: number | null;
}

// The roll call and the album: facelab.register and facelab.enrol, as this side reads them.

export interface SeenFace {
  face: Face;
  chip: Uint8Array;
  chip_size: number;
  embedding: Float32Array;
  poor: string[];
}

/** Every face of a photo, the largest first. */
export interface Look {
  faces: SeenFace[];
  /** The photo was too dark: its light was evened out before this look. */
  evened: boolean;
  /** Why nobody should be enrolled by it. */
  unfit: string | null;
}

export type Rule = "template" | "nearest" | "mean" | "original";
export type Certainty = "sure" | "unsure" | "unknown";

/** What a class shows about its people and photos. */
export interface ClassSummary {
  people: number;
  photos: number;
  sure_below: number;
  unknown_from: number;
  /** False matches of one comparison below the first threshold. */
  rate: number;
  /** Width of a bin of the two histograms. */
  step: number;
  genuine: number[];
  impostor: number[];
  alike: [a: string, b: string, distance: number][];
  /** Pairs that look like one person under two names. */
  twice: [a: string, b: string, distance: number][];
  /** Rows of photos that are not like the others of their person. */
  odd: number[];
}

export interface Who {
  key: string | null;
  answer: Certainty;
  /** Somebody who is as near. */
  runner_up: string | null;
  distance: number | null;
  /** That a stranger comes as near to anybody of the class. */
  chance: number | null;
  /** Everybody, the nearest first. */
  likely: [key: string, distance: number][];
}

/** facelab.layout.Sifted: the photos among files and folders, by their index, in the order in which people count. */
export interface Sifted {
  photos: number[];
  left_out: [index: number, reason: string][];
  /** How many are the system's own, in a sentence. */
  system: string | null;
}

/** facelab.layout.Layout. Where there is a question, there are no people yet. */
export interface Layout extends Sifted {
  people: { name: string; photos: number[] }[];
  /** Names of the people whose folders hold no photo. */
  empty: string[];
  notes: string[];
  question: LayoutQuestion | null;
}

export interface LayoutQuestion {
  words: string;
  answers: { people_at: number; words: string }[];
}

/** A person of a gallery's file. */
export interface GalleryPerson {
  name: string;
  photos: { file: string; embedding: number[]; chip: string | null }[];
}

/** `embedder`: the name of the one whose numbers these are. */
export interface Gallery {
  embedder: string;
  people: GalleryPerson[];
}

/** `name`: of the class, "" for none. */
export interface NamedGallery extends Gallery {
  name: string;
}

/** `remarks`: what was read otherwise than it is written. */
export interface GalleryFile extends NamedGallery {
  remarks: string[];
}

/** What to tell of a photo that is not upright, after its name; "" where it is. */
export function turnedInWords(faces: readonly Face[]): string {
  return {
    0: "",
    90: "lay on its side, so it was read turned to the right",
    180: "stood on its head, so it was read turned round",
    270: "lay on its side, so it was read turned to the left",
  }[faces[0]?.turned ?? 0];
}

/** The photo cannot be used; the message is a sentence for the reader that says what to do. */
export class PhotoError extends Error {
  override name = "PhotoError";
}

/** The engine did not start or broke down; the message is a sentence for the reader. */
export class EngineError extends Error {
  override name = "EngineError";
}

/** In the message of a VersionError, which is a plain EngineError on the other side of a worker. */
export const ANOTHER_VERSION = "is not the file that this page expects";

/** A file is another build's, or damaged. */
export class VersionError extends EngineError {
  constructor(path: string) {
    super(`${path} ${ANOTHER_VERSION}. Try again; if that does not help, the site itself is damaged.`);
  }
}

/** The name of this worker, which says how its script must start. */
export const workerName = (globalThis as { name?: string }).name ?? "";
/** A worker of this name requests its files from the server and not from caches, because a first engine has failed. */
export const RELOAD = "facelab: reload";
/** A worker whose name begins like this uses the whole ONNX Runtime. */
export const WHOLE = "facelab: whole";
