/** Milliseconds to wait for a file of about 100 KB. A connection that needs longer could not load the engine either. */
const PATIENCE = 120_000;

/** A small file of the site, or undefined if it does not arrive. */
export async function fetched(url: URL): Promise<Blob | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}
