/** From a file to pixels: upright, opaque, and no larger than the pipeline needs; or an error that says what to do instead. */

import { PhotoError, type Pixels } from "./contract";

/** A decoded photo lives in a canvas. The page shows the canvas, and the engine gets a copy of its pixels. */
export type Photo = HTMLCanvasElement;

/**
 * The first frame of an image file, turned as its EXIF orientation says, with transparent parts on white, its longer side at most `maxSide` pixels.
 *
 * @throws PhotoError when the file is empty, cut short, or not an image that this browser reads.
 */
export async function decode(file: Blob, maxSide: number): Promise<Photo> {
  if (file.size === 0) throw new PhotoError("This file is empty. Choose another photo.");
  const decoding = createImageBitmap(file, {
    imageOrientation: "from-image",
    colorSpaceConversion: "none", // the command line uses the file's own values too
    premultiplyAlpha: "none",
  }).catch(() => undefined); // it decodes while the bytes of the file are checked
  const bytes = await bytesOf(file);
  const bitmap = await decoding;
  try {
    if (isCutShort(bytes)) throw new PhotoError("This photo is cut short: part of the file is missing. Copy or download it again.");
    if (!bitmap) throw new PhotoError(whyUnreadable(bytes));
    return draw(bitmap, maxSide);
  } finally {
    bitmap?.close();
  }
}

/** A fresh copy of a photo's pixels, row by row, which the caller may give away. */
export function pixelsOf(photo: Photo): Pixels {
  const { width, height } = photo;
  return { width, height, rgba: context(photo).getImageData(0, 0, width, height).data.buffer };
}

function draw(source: ImageBitmap, maxSide: number): Photo {
  const scale = Math.min(1, maxSide / Math.max(source.width, source.height));
  const photo = document.createElement("canvas");
  photo.width = Math.max(1, Math.round(source.width * scale));
  photo.height = Math.max(1, Math.round(source.height * scale));
  const pen = context(photo);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, photo.width, photo.height);
  pen.imageSmoothingQuality = "high"; // averages all pixels instead of picking some
  pen.drawImage(source, 0, 0, photo.width, photo.height);
  return photo;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new PhotoError("The browser is short of memory for pictures. Close other tabs, then try again.");
  return context;
}

/** @throws PhotoError when the file is a folder, or was moved, changed or deleted after the reader chose it. */
export async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") {
      throw new PhotoError("This file is not there any more: it was moved, renamed or deleted after it was chosen. Choose it again.");
    }
    throw new PhotoError("The browser cannot read this. Choose a photo file: a JPEG, PNG or WebP.");
  }
}

const JPEG = [0xff, 0xd8, 0xff];
const PNG = [0x89, 0x50, 0x4e, 0x47];
const HEIC_BRANDS = ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1"];

const startsWith = (bytes: Uint8Array, signature: number[]) => signature.every((byte, i) => bytes[i] === byte);
const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));

function whyUnreadable(bytes: Uint8Array): string {
  if (ascii(bytes, 4, 8) === "ftyp" && HEIC_BRANDS.includes(ascii(bytes, 8, 12))) {
    return "This is a HEIC photo, which this browser cannot open. Convert it to JPEG (on an iPhone: share it as “Most Compatible”).";
  }
  if (startsWith(bytes, JPEG) || startsWith(bytes, PNG) || ascii(bytes, 0, 4) === "GIF8" || ascii(bytes, 8, 12) === "WEBP") {
    return "This photo is damaged, or too large for this browser. Save it again, smaller, as a JPEG.";
  }
  return "This file is not a picture that the browser can open. Choose a JPEG, PNG or WebP photo.";
}

/** Some browsers draw as much as there is of a broken file without an error. Half a face would give a wrong answer, so such files are refused. */
function isCutShort(bytes: Uint8Array): boolean {
  if (startsWith(bytes, JPEG)) return !hasJpegEnd(bytes);
  if (startsWith(bytes, PNG)) return !hasPngEnd(bytes);
  if (ascii(bytes, 8, 12) === "WEBP") return bytes.length < 8 + new DataView(bytes.buffer).getUint32(4, true); // a WebP file states its length
  return false;
}

/** Walk through the segments (a thumbnail inside one has its own end marker) and scans up to the end marker, FF D9. */
function hasJpegEnd(bytes: Uint8Array): boolean {
  let at = 2;
  while (at + 1 < bytes.length) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0x00 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7)) at += 1; // inside a scan, or padding
    else if (marker === 0xd9) return true;
    else at += 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  }
  return false;
}

function hasPngEnd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (ascii(bytes, at + 4, at + 8) === "IEND") return true;
  }
  return false;
}
