/** The page's side of the service worker: it registers the worker when the page is idle, and asks the reader before an update reloads the page. */

import { Workbox } from "workbox-window";

/** The folder that holds app/, where this script lies. */
const SITE = new URL(import.meta.url.replace(/\/app\/(?!.*\/app\/).*$/, "/"));

const link = document.createElement("link");
link.rel = "manifest";
link.href = new URL("manifest.webmanifest", SITE).href;
document.head.append(link);

if ("serviceWorker" in navigator) {
  const keep = () => keepOffline().catch(() => {}); // with site data blocked, the site still works online
  if (document.readyState === "complete") void keep();
  else addEventListener("load", () => void keep());
}

async function keepOffline(): Promise<void> {
  const workbox = new Workbox(new URL("service-worker.js", SITE).href);
  workbox.addEventListener("waiting", () => offerUpdate(workbox));
  const { ready } = navigator.serviceWorker;
  const keepEngine = async () => (await ready).active?.postMessage({ type: "KEEP_ENGINE" });
  const isReady = () => document.documentElement.dataset.facelab === "ready";
  addEventListener("facelab-engine-ready", () => void keepEngine());
  addEventListener("appinstalled", () => void keepEngine());
  if (isReady()) void keepEngine();
  await workbox.register({ immediate: true }).catch(() => undefined); // the site may have no service worker, or the browser may forbid it
}

function offerUpdate(workbox: Workbox): void {
  const bar = document.createElement("div");
  bar.className = "update-bar";
  bar.role = "status";
  bar.dataset.testid = "update";
  const button = (words: string, testid: string, action: () => void) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.dataset.testid = testid;
    made.className = "md-button";
    made.addEventListener("click", action);
    return made;
  };
  bar.append(
    "A new version of this book is available. If you reload, your classes stay, but the photos in this page are lost.",
    button("Reload", "update-now", () => {
      workbox.addEventListener("controlling", () => location.reload());
      workbox.messageSkipWaiting();
    }),
    button("Later", "update-later", () => bar.remove()),
  );
  document.body.append(bar);
}
