/** Milliseconds to wait for a file of about 100 KB. A connection that needs longer could not load the engine either. */
const PATIENCE = 120_000;

/** A small file of the site, or undefined if it does not arrive at the second attempt either. */
export async function fetched(url: URL): Promise<Blob | undefined> {
  const signal = AbortSignal.timeout(PATIENCE);
  return (await attempt(url, signal)) ?? (await attempt(url, signal));
}

async function attempt(url: URL, signal: AbortSignal): Promise<Blob | undefined> {
  try {
    const response = await fetch(url, { signal });
    // Not `response.blob()`: it fails in Chromium if the page's head has preloaded the file, and part of the file is still to come.
    return response.ok ? new Blob([await response.arrayBuffer()]) : undefined;
  } catch {
    return undefined;
  }
}
