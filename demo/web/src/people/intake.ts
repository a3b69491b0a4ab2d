/** Files out of drops and file inputs, with the folders that they lie in. Which are photos, and whose, is for facelab/layout.py to say. */

import { bytesOf } from "../photos";

/** A file or folder as it was given. */
export interface Listed {
  /** Its names from the outermost folder given to its own, with "/" between them. */
  path: string;
  /** None for a folder, and for what cannot be opened. */
  file?: File;
  folder?: boolean;
  /** Why it cannot be opened. */
  trouble?: string;
}

/** A photo, and the folder that it lies in, "" for none; for portraits that is the name of the person. */
export interface Given {
  file: File;
  folder: string;
}

export function fromInput(input: HTMLInputElement): Listed[] {
  const listed = [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  input.value = ""; // choosing the same again is a choice too
  return listed;
}

/** The entries must be taken before anything is awaited: they are gone when the event is over. */
export async function fromDrop(transfer: DataTransfer | null): Promise<Listed[]> {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const loose = [...(transfer?.files ?? [])].map((file) => ({ path: file.name, file }));
  if (!entries.length) return loose;
  return (await Promise.all(entries.map((entry) => within(entry, entry.name)))).flat();
}

async function within(entry: FileSystemEntry, path: string): Promise<Listed[]> {
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      return [{ path, file }];
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    const found: FileSystemEntry[] = [];
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break; // it hands out a hundred at a time
      found.push(...some);
    }
    const inside = await Promise.all(found.map((inner) => within(inner, `${path}/${inner.name}`)));
    return [{ path, folder: true }, ...inside.flat()];
  } catch {
    return [{ path, folder: entry.isDirectory, trouble: "the browser cannot open it" }];
  }
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
