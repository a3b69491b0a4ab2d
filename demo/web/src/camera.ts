import { PhotoError } from "./contract";

/** Milliseconds: until the first picture; without a new picture until the camera counts as stopped; between two checks. */
const PATIENCE = 10_000;
const STILL = 4000;
const STEP = 500;

const STOPPED = "The camera has stopped: it was unplugged, or another program took it. Start it again.";
const STUCK = "The camera sends no new pictures. Start it again.";

/**
 * Show the camera's live picture in `video` until `signal` aborts, which also releases the camera. `lost` is called at most once, with the reason why the
 * picture stopped; the camera is released then.
 *
 * @throws PhotoError with what to do when there is no camera, or it is blocked.
 */
export async function openCamera(video: HTMLVideoElement, signal: AbortSignal, lost: (why: string) => void): Promise<void> {
  // Browsers hide the camera from pages that did not come over https (or from this machine).
  if (!navigator.mediaDevices) throw new PhotoError("The camera works only on pages that were opened over https. Choose a file instead.");
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 } }, audio: false })
    .catch((error: unknown) => {
      throw new PhotoError(whyNoCamera(error));
    });
  let watch: ReturnType<typeof setInterval> | undefined;
  const stop = () => {
    clearInterval(watch);
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) return stop(); // aborted while the browser was asking for permission
  video.srcObject = stream;
  await Promise.race([video.play(), firstPictureLate()]).catch((error: unknown) => {
    stop();
    throw error;
  });
  const lose = (why: string) => {
    if (signal.aborted || !video.srcObject) return;
    stop();
    lost(why);
  };
  stream.getVideoTracks()[0]?.addEventListener("ended", () => lose(STOPPED));
  watch = watchPictures(video, () => lose(STUCK));
}

/**
 * After a phone call, or after sleep, a camera can stay on but freeze. Hidden pages get no frames, and Firefox does not count a camera's frames, so that the
 * count never changes there.
 */
function watchPictures(video: HTMLVideoElement, stuck: () => void): ReturnType<typeof setInterval> {
  const count = () => video.getVideoPlaybackQuality().totalVideoFrames;
  let [pictures, hasMoved, still] = [count(), false, 0];
  return setInterval(() => {
    const now = count();
    hasMoved ||= now !== pictures;
    still = hasMoved && now === pictures && !document.hidden ? still + STEP : 0;
    pictures = now;
    if (still >= STILL) stuck();
  }, STEP);
}

function firstPictureLate(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new PhotoError(STUCK)), PATIENCE));
}

/**
 * The frame that `video` shows now, lossless and not mirrored.
 *
 * @throws PhotoError if it shows none.
 */
export async function takePhoto(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const photo = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!photo) throw new PhotoError(STUCK);
  return photo;
}

function whyNoCamera(error: unknown): string {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return "The camera is blocked. Allow it for this page in the browser’s address bar, or choose a file instead.";
    case "NotFoundError":
      return "No camera was found. Connect one, or choose a file instead.";
    case "NotReadableError":
      return "Another program is using the camera. Close it, or choose a file instead.";
    default:
      return "The camera did not start. Try again, or choose a file instead.";
  }
}
