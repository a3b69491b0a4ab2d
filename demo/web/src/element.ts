/** What the custom elements have in common: a shadow root made from a template, and style sheets shared between them. */

export function sheet(css: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

export function shadow(host: HTMLElement, html: string, ...sheets: CSSStyleSheet[]): ShadowRoot {
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = sheets;
  root.innerHTML = html;
  return root;
}

/** The element that the template above certainly holds. */
export function find<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const element = root.querySelector<T>(selector);
  if (!element) throw new Error(`the template has no ${selector}`);
  return element;
}
