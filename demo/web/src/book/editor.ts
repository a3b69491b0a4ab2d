/** A small editor for a cell: CodeMirror in the book's colours. It loads when a reader first edits. */

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export interface Editor {
  readonly element: HTMLElement;
  readonly text: string;
  focus(): void;
  replace(text: string): void;
  /** Mark the line where the cell stopped, counted from 1; null removes the mark. */
  mark(line: number | null): void;
}

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--fl-muted)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--fl-accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--fl-good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--fl-warn)" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: "var(--fl-heading)" },
]);

const theme = EditorView.theme({
  "&": { backgroundColor: "var(--fl-surface)", color: "var(--fl-text)", borderRadius: "var(--fl-radius)", fontSize: "0.7rem" },
  "&.cm-focused": { outline: "2px solid var(--fl-accent)" },
  ".cm-scroller": { fontFamily: "var(--md-code-font-family)", lineHeight: "1.6", padding: "0.7em 0" },
  ".cm-content": { caretColor: "var(--fl-accent)" },
  ".cm-cursor": { borderLeftColor: "var(--fl-accent)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--fl-muted)", border: "none" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--fl-mark)" },
  ".cm-stopped": { backgroundColor: "color-mix(in srgb, var(--fl-bad) 22%, transparent)" },
});

const setMark = StateEffect.define<number | null>();

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue;
      const line = effect.value;
      if (line === null || line > transaction.state.doc.lines) return Decoration.none;
      return Decoration.set(Decoration.line({ class: "cm-stopped" }).range(transaction.state.doc.line(line).from));
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export function openEditor(text: string, run: () => void, changed: () => void): Editor {
  const running = () => {
    run();
    return true;
  };
  const view = new EditorView({
    state: EditorState.create({
      doc: text,
      extensions: [
        // Escape, then Tab leaves the editor, which is CodeMirror's own way for the keyboard.
        keymap.of([{ key: "Mod-Enter", run: running }, { key: "Shift-Enter", run: running }, indentWithTab, ...historyKeymap, ...defaultKeymap]),
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        python(),
        syntaxHighlighting(colours),
        theme,
        marked,
        EditorView.contentAttributes.of({ "aria-label": "Python; Escape, then Tab leaves the editor" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed();
        }),
      ],
    }),
  });
  return {
    element: view.dom,
    get text() {
      return view.state.doc.toString();
    },
    focus: () => view.focus(),
    replace: (fresh) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: fresh } }),
    mark: (line) => view.dispatch({ effects: setMark.of(line) }),
  };
}
