/** Milliseconds for a file of some 100 KB: a line that needs longer brings no engine either. */
const PATIENCE = 120_000;

/** A small file of the site; undefined where it does not come. */
export async function fetched(url: URL): Promise<Blob | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}
