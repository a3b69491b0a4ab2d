/** From sightings to a roll, and the roll as a file or on paper. */

import type { Day, Person, Sighting, Snapshot } from "./store";

export type Presence = "present" | "unsure" | "absent";

export interface Entry {
  person: Person;
  presence: Presence;
  /** The best answer that the photos have for them. */
  evidence: Sighting | undefined;
  /** Whether the teacher has decided it. */
  marked: boolean;
}

/** A pupil is present who was seen in any of the day's photos. */
export function rollOf({ people, day, sightings }: Snapshot): Entry[] {
  return people.map((person) => {
    const seen = sightings.filter(({ personId }) => personId === person.id).sort(surestFirst);
    const [evidence] = seen;
    const mark = day?.marks[person.id];
    const presence = mark ?? (!evidence ? "absent" : isSure(evidence) ? "present" : "unsure");
    return { person, presence, evidence, marked: mark !== undefined };
  });
}

export const isSure = ({ answer, by }: Sighting): boolean => by === "teacher" || answer === "sure";

const surestFirst = (a: Sighting, b: Sighting) =>
  Number(isSure(b)) - Number(isSure(a)) || (a.distance ?? 9) - (b.distance ?? 9);

export function countOf(roll: Entry[], presence: Presence): number {
  return roll.filter((entry) => entry.presence === presence).length;
}

function rows(roll: Entry[], day: Day | undefined): { name: string; status: Presence; by: string; distance: number | null; photo: string }[] {
  return roll.map(({ person, presence, evidence, marked }) => ({
    name: person.name,
    status: presence,
    by: marked || evidence?.by === "teacher" ? "teacher" : "machine",
    distance: evidence?.distance ?? null,
    photo: day?.photos.find(({ id }) => id === evidence?.photoId)?.file ?? "",
  }));
}

/** For spreadsheets: the mark at the beginning says that the file is UTF-8. */
export function asCsv(roll: Entry[], className: string, date: string, day: Day | undefined): string {
  const lines = rows(roll, day).map(({ name, status, by, distance, photo }) =>
    [...[date, className, name, status, by].map(cell), distance?.toFixed(3) ?? "", cell(photo)].join(","),
  );
  return `\ufeff${["date,class,name,status,by,distance,photo", ...lines].join("\r\n")}\r\n`;
}

export function asJson(roll: Entry[], className: string, date: string, day: Day | undefined): string {
  return JSON.stringify({ kind: "facelab roll", format: 1, class: className, date, roll: rows(roll, day) }, null, 1);
}

/** Where a spreadsheet could see a formula, however it splits or normalises text. The same rule as demo/facelab/output.py. */
const FORMULA = /((?:^|[,;|\t\r\n])[\s"\x00-\x1f\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*)(?=[-=+@−＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋⩵⩶﬩])/g;

function cell(text: string): string {
  const safe = text.replace(FORMULA, "$1'");
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Prints from a frame, so that nothing else of the page gets on the paper. */
export function print(roll: Entry[], className: string, date: string): void {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "The roll, for printing";
  frame.srcdoc = `<!doctype html><title>${escaped(className)}, ${date}</title><style>
    body { font: 12pt system-ui, sans-serif; } table { border-collapse: collapse; } td, th { padding: 3pt 10pt; border-bottom: 0.5pt solid #999; text-align: left; }
    img { width: 32pt; height: 32pt; display: block; } .absent { font-weight: bold; }</style>
    <h1>${escaped(className)}</h1><p>${date}: ${countOf(roll, "present")} present, ${countOf(roll, "unsure")} unsure, ${countOf(roll, "absent")} absent. A draft made by a machine; checked by: ____________________</p>
    <table><tr><th></th><th>Name</th><th>Status</th></tr>${roll
      .map(({ person, presence, evidence }) => {
        const picture = evidence ? `<img src="${evidence.chip}" alt="">` : "";
        return `<tr class="${presence}"><td>${picture}</td><td>${escaped(person.name)}</td><td>${presence}</td></tr>`;
      })
      .join("")}</table>`;
  frame.addEventListener("load", () => {
    frame.contentWindow?.addEventListener("afterprint", () => frame.remove());
    frame.contentWindow?.print();
  });
  document.body.append(frame);
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
