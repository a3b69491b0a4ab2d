/** The page's side of the service worker: it is registered when the page has nothing else to do, and an update asks before it reloads. */

import { Workbox } from "workbox-window";

import { SHARES_COMPILED } from "./engine/files";

/** The folder that has app/, in which this script lies. */
const SITE = new URL(import.meta.url.replace(/\/app\/(?!.*\/app\/).*$/, "/"));

const link = document.createElement("link");
link.rel = "manifest";
link.href = new URL("manifest.webmanifest", SITE).href;
document.head.append(link);

/** Milliseconds between two words to the service worker, which holds what was compiled: after half a minute without one the browser ends it. */
const REMINDER = 20_000;

if ("serviceWorker" in navigator) {
  const keep = () => keepOffline().catch(() => {}); // site data is blocked: the site works while there is a network
  if (document.readyState === "complete") void keep();
  else addEventListener("load", () => void keep());
}

async function keepOffline(): Promise<void> {
  const workbox = new Workbox(new URL("service-worker.js", SITE).href);
  workbox.addEventListener("waiting", () => offerUpdate(workbox));
  const { ready } = navigator.serviceWorker;
  const keepEngine = async () => (await ready).active?.postMessage({ type: "KEEP_ENGINE" });
  const isReady = () => document.documentElement.dataset.facelab === "ready";
  const remind = () => {
    if (document.visibilityState === "visible" && isReady()) void keepEngine();
  };
  addEventListener("facelab-engine-ready", () => void keepEngine());
  addEventListener("appinstalled", () => void keepEngine());
  if (isReady()) void keepEngine();
  if (SHARES_COMPILED) {
    document.addEventListener("visibilitychange", remind);
    setInterval(remind, REMINDER);
  }
  await workbox.register({ immediate: true }).catch(() => undefined); // a site without one, or a browser that forbids it
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
