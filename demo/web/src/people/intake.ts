/** Files from drops and file inputs, with their folders. facelab/layout.py decides which of them are photos, and of whom. */

import { bytesOf } from "../photos";

/** A file or folder as the reader gave it. */
export interface Listed {
  /** Names from the outermost folder down to the file itself, joined by "/". */
  path: string;
  /** Missing for a folder, and for a file that cannot be opened. */
  file?: File;
  folder?: boolean;
  /** Why it cannot be opened. */
  trouble?: string;
}

/** A photo, and its folder ("" for none). For portraits the folder is the person's name. */
export interface Given {
  file: File;
  folder: string;
}

export function fromInput(input: HTMLInputElement): Listed[] {
  const listed = [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  input.value = ""; // so that choosing the same files again fires an event
  return listed;
}

/** Takes the entries before anything is awaited, because they end with the event. */
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
      if (!some.length) break; // the browser returns at most a hundred at a time
      found.push(...some);
    }
    const inside = await Promise.all(found.map((inner) => within(inner, `${path}/${inner.name}`)));
    return [{ path, folder: true }, ...inside.flat()];
  } catch {
    return [{ path, folder: entry.isDirectory, trouble: "the browser cannot open it" }];
  }
}

/** SHA-256 of a file; undefined on plain http, where browsers compute no hashes. */
export async function hashOf(file: Blob): Promise<string | undefined> {
  const bytes = await bytesOf(file);
  if (!globalThis.crypto.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Offer a file to the reader as a download. */
export function save(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name.replace(/[\\/:*?"<>|]+/g, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
