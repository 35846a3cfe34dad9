import { FlashbackError, rawJson, type OrganizationSettings } from '@flashback/client';
import { show } from './changes.js';
import { ask, button, element } from './dom.js';
import { compare, Editor } from './editor.js';
import { Help } from './help.js';
import { check, compact, layout, place } from './json.js';
import type { Page } from './main.js';
import { merge } from './merge.js';

const withoutRevision =
  'These settings have no revision yet: another program wrote them. Write them once by the API, with If-Match: *';

/** The document: edits, previews and saves its text. */
export class SettingsDocument {
  readonly #page: Page;
  readonly #editor: Editor;
  readonly #help = new Help(() => this.#editor);
  readonly #state = element('span', { id: 'document-state' });
  readonly #buttons: HTMLButtonElement[];
  #settings!: OrganizationSettings;
  #base: { text: string; etag: string | null } | undefined; // what the service had when the text was read

  constructor(host: HTMLElement, page: Page) {
    this.#page = page;
    const text = element('div', { className: 'editor' });
    const action = (label: string, call: () => Promise<void>): HTMLButtonElement => button(label, () => page.run(call));
    this.#buttons = [
      action('Preview', () => this.#preview()),
      action('Save', () => this.#save()),
      button('Discard changes', () => {
        this.#editor.text = this.#base!.text;
        this.focus();
      }),
    ];
    const save = this.#buttons[1]!;
    Object.assign(save, { className: 'primary', title: 'Ctrl+S', ariaKeyShortcuts: 'Control+S' });
    const reload = action('Reload', async () => {
      page.changed();
      await this.open();
    });
    host.append(text, this.#help.line, element('p', { className: 'buttons' }, this.#state, ...this.#buttons, reload), this.#help.schema);
    this.#editor = new Editor(text, () => this.#changed(), () => this.#help.moved(), () => save.click());
    addEventListener('beforeunload', (event) => this.isEdited && event.preventDefault());
  }

  get isEdited(): boolean {
    return this.#base !== undefined && !this.#editor.readOnly && this.#editor.text !== this.#base.text;
  }

  /** Reports whether another document may take the place of this one. If there are edits, the person decides. */
  leave(): boolean {
    if (this.isEdited && !confirm('Drop your edits?')) return false;
    this.#base = undefined;
    return true;
  }

  /** Goes on in the text, where a button that had the focus is now disabled or gone. */
  focus(): void {
    this.#editor.focus();
  }

  /** Reads the document, of other settings or again. If there are edits and it has changed, the person decides. */
  async open(settings = this.#settings, readOnly = this.#editor.readOnly): Promise<void> {
    this.#settings = settings;
    this.#page.watch(this.#help.open(settings));
    const { text, etag } = await settings.get();
    if (settings !== this.#settings) return; // another person has taken over
    if (!this.isEdited) this.#open(layout(text), etag, readOnly);
    else if (etag === this.#base!.etag && text === compact(this.#base!.text)) {
      this.#page.say('Nobody else has changed the document. Your edits are kept.');
    } else await this.#update(text, etag);
  }

  /** Shows what it would do to make a text the document. It returns the revision to match if the person chooses action. */
  async confirm(title: string, text: string, action: string): Promise<{ etag: string | null } | undefined> {
    const { text: stored, etag } = await this.#settings.get();
    const preview = await this.#settings.preview.update({ settings: rawJson(text) }, { ifMatch: etag });
    const shown = show(preview, stored, ['Stored now', 'Restored']);
    return (await ask(title, shown, [action])) === action ? { etag } : undefined;
  }

  #open(text: string, etag: string | null, readOnly: boolean): void {
    this.#base = { text, etag };
    this.#editor.open(text, readOnly);
    for (const button of this.#buttons) button.hidden = readOnly;
  }

  #changed(): void {
    const { isEdited } = this;
    const isEmpty = this.#base?.etag === null && this.#base.text === '{}';
    this.#state.textContent = isEdited ? 'Not saved' : isEmpty ? 'No settings yet' : '';
    for (const button of this.#buttons ?? []) button.disabled = !isEdited;
  }

  /** Calls the service with the text, and marks in it what the service finds wrong. */
  async #send(call: (text: string) => Promise<void>): Promise<void> {
    const { text } = this.#editor;
    const problems = check(text);
    if (problems.length > 0) {
      this.#editor.show(problems);
      const { from, message } = problems[0]!;
      throw new Error(`Not sent. Line ${text.slice(0, from).split('\n').length}: ${message}.`);
    }
    const { etag } = this.#base!;
    try {
      await call(compact(text));
    } catch (error) {
      if (!(error instanceof FlashbackError)) throw error;
      if (error.status === 412) {
        if (error.etag !== etag) return this.open();
        throw new Error(withoutRevision);
      }
      const pointer = pointerOf(error);
      if (pointer !== undefined) this.#editor.show([{ ...place(text, pointer), message: error.error ?? error.message }]);
      throw error;
    }
  }

  #preview(): Promise<void> {
    return this.#send(async (text) => {
      const preview = await this.#settings.preview.update({ settings: rawJson(text) }, { ifMatch: this.#base!.etag });
      const shown = show(preview, this.#base!.text, ['Stored now', 'After saving']);
      if ((await ask('What saving would change', shown, ['Save'])) === 'Save') await this.#save();
    });
  }

  #save(): Promise<void> {
    const edited = this.#editor.text;
    return this.#send(async (text) => {
      const { etag } = await this.#settings.update({ settings: rawJson(text) }, { ifMatch: this.#base!.etag });
      this.#base = { text: edited, etag };
      this.#changed(); // somebody may have typed on
      this.#page.say('Saved.');
      this.#page.changed();
      this.focus();
    });
  }

  /** Brings what is stored now together with the edits. Nothing is written. */
  async #update(stored: string, etag: string | null): Promise<void> {
    const base = this.#base!;
    const mine = this.#editor.text;
    const theirs = layout(stored);
    if (compact(mine) === stored) {
      this.#open(theirs, etag, false); // such as a write of this page whose answer was lost
      this.#page.say('Saved.');
      this.#page.changed();
      return;
    }
    const problems = check(mine);
    if (problems.length > 0) {
      this.#editor.show(problems);
      throw new Error('The document has changed meanwhile. Correct the mistakes in your text, then Reload brings both together.');
    }
    const before = layout(base.text);
    const merged = merge(before, theirs, mine);
    const result = compare('Merged', theirs, merged.text, ['theirs', 'merged'], true);
    const choice = await ask(
      'The document has changed meanwhile',
      [
        element('p', {}, 'Your edits are not stored yet. Take theirs and drop your edits, or continue with the merged text.'),
        element('p', {}, 'Close keeps your edits as they are.'),
        ...conflicting(merged.conflicts),
        element('h3', {}, 'What they changed'),
        compare('Their change', before, theirs, ['before', 'theirs']).view,
        element('h3', {}, 'What you changed'),
        compare('Your change', before, layout(mine), ['before', 'yours']).view,
        element('h3', {}, 'Both together, for you to edit: theirs → merged'),
        result.view,
      ],
      ['Take theirs', 'Continue with merged'],
      merged.conflicts.length === 0,
    );
    if (choice !== undefined) this.focus();
    if (choice === 'Take theirs') this.#open(theirs, etag, false);
    if (choice === 'Continue with merged') {
      const text = result.text();
      this.#open(theirs, etag, false);
      this.#editor.text = text;
      this.#page.say('Merged, and not saved yet.');
    }
    this.#page.changed();
  }
}

/** Names the values of which the merged text has only one side. */
function conflicting(pointers: string[]): Node[] {
  if (pointers.length === 0) return [];
  const items = pointers.map((pointer) => element('li', {}, element('code', {}, pointer)));
  return [
    element('p', { className: 'error' }, 'You both changed these values, in different ways. The merged text has yours and not theirs:'),
    element('ul', { className: 'changes' }, ...items),
  ];
}

/** Returns the JSON Pointer of an error into the document. */
function pointerOf({ error, pointer }: FlashbackError): string | undefined {
  if (pointer !== undefined) return pointer.replace(/^\/settings/, '');
  const inBody = /^.*? at \/settings(.*) \((?:line \d+, column \d+, )?byte \d+\)$/s.exec(error ?? '');
  const inDocument = /^(\/.*?): /s.exec(error ?? '');
  return inBody?.[1] ?? inDocument?.[1];
}
