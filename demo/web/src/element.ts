/** What the custom elements share: shadow roots made from templates, and shared style sheets. */

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

/** The element of the template that matches the selector. */
export function find<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const element = root.querySelector<T>(selector);
  if (!element) throw new Error(`the template has no ${selector}`);
  return element;
}
