import { PhotoError } from "./contract";

/**
 * Show the camera's live picture in `video` until `signal` aborts, which also lets go of the camera.
 *
 * @throws PhotoError with what to do when there is no camera, or it is refused.
 */
export async function openCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  // Browsers hide the camera altogether from pages that did not come over https (or from this machine).
  if (!navigator.mediaDevices) throw new PhotoError("The camera needs a page opened over https. Choose a file instead.");
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 } }, audio: false })
    .catch((error: unknown) => {
      throw new PhotoError(whyNoCamera(error));
    });
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) return stop(); // called off while the browser was asking
  video.srcObject = stream;
  await video.play();
}

/** The frame that `video` shows now, without loss, and not mirrored. */
export async function takePhoto(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? new Blob()), "image/png"));
}

function whyNoCamera(error: unknown): string {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return "The camera was refused. Allow it for this page in the browser’s address bar, or choose a file instead.";
    case "NotFoundError":
      return "No camera was found. Connect one, or choose a file instead.";
    case "NotReadableError":
      return "Another program is using the camera. Close it, or choose a file instead.";
    default:
      return "The camera did not start. Try again, or choose a file instead.";
  }
}
