import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { linter, lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { check, type Problem } from './json.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

// The colours are variables of page.css.
const theme = (): Extension =>
  EditorView.theme(
    {
      '&': { color: 'var(--text)', backgroundColor: 'var(--field)' },
      '&.cm-focused': { outline: '2px solid var(--accent)' },
      '.cm-content': { fontFamily: 'ui-monospace, monospace', caretColor: 'var(--text)' },
      '.cm-scroller': { lineHeight: '1.5' },
      '.cm-gutters': { color: 'var(--faint)', backgroundColor: 'var(--field)', border: 'none' },
      '&.cm-merge-a .cm-changedLine, .cm-deletedChunk': { backgroundColor: 'var(--removed-line)' },
      '&.cm-merge-b .cm-changedLine, .cm-insertedLine': { backgroundColor: 'var(--added-line)' },
      '&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': { background: 'var(--removed)' },
      '&.cm-merge-b .cm-changedText': { background: 'var(--added)' },
      // In place of CodeMirror's images, which the Content-Security-Policy forbids. It also forbids the inline style that
      // Chromium makes of a textDecoration when a person types over it.
      '.cm-lintRange-error': { backgroundImage: 'none', borderBottom: '2px dotted var(--error)' },
      '.cm-lint-marker-error': { content: 'normal', color: 'var(--error)' },
      '.cm-lint-marker-error:before': { content: '"●"' },
      '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"⋯" !important' },
      '.cm-collapsedLines': { color: 'var(--faint)', background: 'var(--page)' },
    },
    { dark: dark.matches },
  );

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--name)' },
  { tag: tags.string, color: 'var(--string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--number)' },
]);

const common = (label: string, readOnly: boolean): Extension => [
  theme(),
  json(),
  syntaxHighlighting(colours),
  lineNumbers(),
  EditorView.lineWrapping,
  drawSelection(),
  bracketMatching(),
  EditorState.readOnly.of(readOnly),
  EditorState.phrases.of({ 'Revert this chunk': 'Take theirs', Reject: 'Take theirs', Accept: 'Keep' }),
  EditorView.contentAttributes.of({ 'aria-label': label }),
  keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, ...lintKeymap]),
];

const diagnostic = (problem: Problem): Diagnostic => ({ ...problem, severity: 'error' });
const lint = (shown: () => Problem[] | undefined = () => undefined): Extension => [
  linter((view) => (shown() ?? check(view.state.doc.toString())).map(diagnostic)),
  lintGutter(),
];

/** In a shadow root, CodeMirror's styles are constructed style sheets, which need no exception in the Content-Security-Policy. */
function shadow(host: HTMLElement): ShadowRoot {
  return host.shadowRoot ?? host.attachShadow({ mode: 'open' });
}

/** An editor for a JSON text. */
export class Editor {
  readonly #view: EditorView;
  readonly #changed: () => void;
  readonly #moved: () => void;
  readonly #save: () => void;
  #readOnly = false;
  #shown: Problem[] | undefined; // by show, until the text changes

  /** With every change of the text, changed is called; with every change of the text or the cursor, moved; with Ctrl+S, save. */
  constructor(host: HTMLElement, changed: () => void, moved: () => void, save: () => void) {
    const root = shadow(host);
    this.#view = new EditorView({ parent: root, root });
    this.#changed = changed;
    this.#moved = moved;
    this.#save = save;
    this.open('{}', false);
  }

  /** Shows another text. Its undo history is empty. */
  open(text: string, readOnly: boolean): void {
    this.#readOnly = readOnly;
    this.#shown = undefined;
    this.#view.setState(
      EditorState.create({
        doc: text,
        extensions: [
          common('The document as JSON', readOnly),
          readOnly ? [] : lint(() => this.#shown),
          keymap.of([{ key: 'Mod-s', preventDefault: true, run: () => (this.#save(), true) }]),
          history(),
          codeFolding(),
          foldGutter(),
          highlightSelectionMatches(),
          EditorView.updateListener.of(({ docChanged, selectionSet }) => {
            if (docChanged) {
              this.#shown = undefined;
              this.#changed();
            }
            if (docChanged || selectionSet) this.#moved();
          }),
        ],
      }),
    );
    this.#changed();
    this.#moved();
  }

  get readOnly(): boolean {
    return this.#readOnly;
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** The UTF-16 offset of the cursor. */
  get cursor(): number {
    return this.#view.state.selection.main.head;
  }

  /** Replaces the text. The person can undo it. */
  set text(text: string) {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Marks problems, until the text changes, and goes to the first. */
  show(problems: Problem[]): void {
    this.#shown = problems;
    this.#view.dispatch(setDiagnostics(this.#view.state, problems.map(diagnostic)));
    const [first] = problems;
    if (first) this.#view.dispatch({ selection: { anchor: first.from }, effects: EditorView.scrollIntoView(first.from, { y: 'center' }) });
    this.focus();
  }
}

/** Shows two texts, what a had and b has marked: side by side, or as one in a narrow window. */
export function compare(title: string, a: string, b: string, names: [a: string, b: string], editable = false): { view: HTMLElement; text(): string } {
  const view = document.createElement('div');
  view.className = 'compare';
  const root = shadow(view);
  const collapseUnchanged = { margin: 2 };
  const extensions = [common(`${title}: ${names[1]}`, !editable), editable ? [lint(), history()] : []];
  let editor: EditorView;
  if (matchMedia('(max-width: 700px)').matches) {
    const merge = unifiedMergeView({ original: a, mergeControls: editable, collapseUnchanged });
    editor = new EditorView({ parent: root, root, doc: b, extensions: [extensions, merge] });
  } else {
    const sides = new MergeView({
      parent: root,
      root,
      collapseUnchanged,
      a: { doc: a, extensions: common(`${title}: ${names[0]}`, true) },
      b: { doc: b, extensions },
      ...(editable && { revertControls: 'a-to-b' as const }),
    });
    editor = sides.b;
  }
  return { view, text: () => editor.state.doc.toString() };
}
