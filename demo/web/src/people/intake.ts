/** Files out of drops and file inputs, folders too, with the folder that each lay in. */

import { bytesOf } from "../photos";

export interface Given {
  file: File;
  /** The folder right around it, "" for none. */
  folder: string;
}

const PHOTO = /\.(jpe?g|png|webp|bmp|gif|tiff?|heic|avif)$/i;

export function fromInput(input: HTMLInputElement): Given[] {
  const given = [...(input.files ?? [])].map((file) => ({ file, folder: file.webkitRelativePath.split("/").at(-2) ?? "" }));
  input.value = ""; // choosing the same again is a choice too
  return photosOf(given);
}

/** The entries must be taken before anything is awaited: they are gone when the event is over. */
export async function fromDrop(transfer: DataTransfer | null): Promise<Given[]> {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const loose = [...(transfer?.files ?? [])].map((file) => ({ file, folder: "" }));
  if (!entries.length) return photosOf(loose);
  return photosOf((await Promise.all(entries.map((entry) => within(entry, "")))).flat());
}

/** What the system strews into folders is no photo that anybody gave. What bears no known name may still be one, on its own. */
function photosOf(given: Given[]): Given[] {
  const visible = given.filter(({ file }) => !file.name.startsWith(".") && file.name !== "Thumbs.db" && file.name !== "desktop.ini");
  return visible
    .filter(({ file, folder }) => !folder || PHOTO.test(file.name) || file.type.startsWith("image/"))
    .sort((a, b) => (a.folder + a.file.name < b.folder + b.file.name ? -1 : 1));
}

async function within(entry: FileSystemEntry, folder: string): Promise<Given[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, folder }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break; // it hands out a hundred at a time
    found.push(...some);
  }
  return (await Promise.all(found.map((inner) => within(inner, entry.name)))).flat();
}

/** SHA-256 of a file; undefined on plain http, where browsers compute none. */
export async function hashOf(file: Blob): Promise<string | undefined> {
  const bytes = await bytesOf(file);
  if (!globalThis.crypto.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Give the reader a file. */
export function save(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name.replace(/[\\/:*?"<>|]+/g, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
