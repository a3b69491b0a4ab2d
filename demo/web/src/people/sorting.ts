/** Which files are photos, and which pupil each one shows. Python decides, or the reader where the folders do not say. */

import { html, type TemplateResult } from "lit";

import type { LayoutQuestion, Sifted } from "../contract";
import type { EngineClient } from "../engine/client";
import type { Given, Listed } from "./intake";

/** A remark on files that were left out, or on others. `mild`: nobody will miss the file. */
export interface Remark {
  words: string;
  mild?: true;
}

export interface Photos {
  photos: Given[];
  remarks: Remark[];
}

/** `names`: all people, including those without a photo. */
export interface Portraits extends Photos {
  names: string[];
}

export const isQuestion = (answer: Portraits | LayoutQuestion): answer is LayoutQuestion => "answers" in answer;

export async function photosAmong(engine: EngineClient, listed: Listed[]): Promise<Photos> {
  const sifted = await engine.photosAmong(asEntries(listed));
  const photos = sifted.photos.map((i) => ({ file: listed[i]!.file!, folder: listed[i]!.path.split("/").slice(0, -1).join("/") }));
  return { photos, remarks: leftOut(listed, sifted) };
}

/** `called`: the pupil whom the photos show if no folder says so. `peopleAt`: the reader's answer to the last question. */
export async function portraitsAmong(engine: EngineClient, listed: Listed[], called: string, peopleAt?: number): Promise<Portraits | LayoutQuestion> {
  const layout = await engine.layout(asEntries(listed), peopleAt, called);
  if (layout.question) return layout.question;
  return {
    photos: layout.people.flatMap(({ name, photos }) => photos.map((i) => ({ file: listed[i]!.file!, folder: name }))),
    names: [...layout.people.map(({ name }) => name), ...layout.empty],
    remarks: [
      ...layout.notes.map((words) => ({ words })),
      ...layout.empty.map((name) => ({ words: `${name}: no photos in the folder` })),
      ...leftOut(listed, layout),
    ],
  };
}

export function questionView({ words, answers }: LayoutQuestion, answer: (peopleAt: number) => void, cancel: () => void): TemplateResult {
  return html`<div class="question" role="group" tabindex="-1" aria-labelledby="layout-words" data-testid="layout-question">
    <p id="layout-words"><b>${words}</b></p>
    <div class="choices">
      ${answers.map(
        ({ people_at, words }) =>
          html`<button type="button" data-testid="layout-answer" data-people-at=${people_at} @click=${() => answer(people_at)}>${words}</button>`,
      )}
      <button type="button" class="link" data-testid="layout-cancel" @click=${cancel}>${answers.length > 1 ? "None of these: enrol nothing" : "No: enrol nothing"}</button>
    </div>
    <p class="caption">If each pupil has a folder with the pupil’s name, there is no question.</p>
  </div>`;
}

const asEntries = (listed: Listed[]) =>
  JSON.stringify(listed.map(({ path, folder = false, trouble = null }) => ({ path, folder, trouble })));

function leftOut(listed: Listed[], { left_out, system }: Sifted): Remark[] {
  const files = left_out.map(([i, reason]) => ({ words: `${listed[i]!.path}: ${reason}` }));
  return system ? [...files, { words: system, mild: true }] : files;
}
