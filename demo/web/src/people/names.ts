/**
 * A name as it is kept and compared: in Unicode's composed form, without spaces around it, with single ones inside. As facelab.gallery.normal_name does it.
 * Case counts.
 */
export const normalName = (name: string): string => name.normalize("NFC").replace(/\s+/g, " ").trim();

/** That name, or the first of "name (2)", "name (3)", ... that is not taken. */
export function freeName(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let free = name;
  for (let number = 2; names.has(free); number++) free = `${name} (${number})`;
  return free;
}
