/**
 * A name in the form in which it is stored and compared: composed Unicode, without spaces around it, with single spaces inside. The same rule as
 * facelab.gallery.normal_name. Case matters.
 */
export const normalName = (name: string): string => name.normalize("NFC").replace(/\s+/g, " ").trim();

/** The name, or the first of "name (2)", "name (3)", ... that is free. */
export function freeName(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let free = name;
  for (let number = 2; names.has(free); number++) free = `${name} (${number})`;
  return free;
}
