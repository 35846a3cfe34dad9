import { FlashbackError, type OrganizationSettings, type SettingsState } from '@flashback/client';
import { show } from './changes.js';
import type { SettingsDocument } from './document.js';
import { ask, button, element, time } from './dom.js';
import type { Page } from './main.js';

const pageSize = 20;

/** History: lists the states, shows what each changed and restores one. */
export class SettingsHistory {
  readonly #host: HTMLElement;
  readonly #page: Page;
  readonly #document: SettingsDocument;
  readonly #list = element('ol');
  readonly #none = element('p', { hidden: true }, 'No states yet');
  readonly #more: HTMLButtonElement;
  #settings!: OrganizationSettings;
  readonly #inView: IntersectionObserver;
  #states: AsyncIterator<SettingsState> | undefined; // undefined: none is read, or an error has ended it
  #last: string | undefined; // revision of the last state in the list
  #loading = false;

  constructor(host: HTMLElement, page: Page, document: SettingsDocument) {
    this.#host = host;
    this.#page = page;
    this.#document = document;
    this.#more = button('Show older ones', () => page.watch(this.#load()));
    host.append(this.#list, this.#none, this.#more);
    this.#inView = new IntersectionObserver(([entry]) => entry!.isIntersecting && this.#more.click());
  }

  /** Lists the states from the newest on. */
  async open(settings: OrganizationSettings, visible: boolean): Promise<void> {
    this.#host.hidden = !visible;
    this.#list.replaceChildren();
    this.#settings = settings;
    this.#states = this.#last = undefined;
    this.#loading = false;
    if (visible) await this.#load();
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    this.#inView.disconnect();
    const states = (this.#states ??= this.#settings.history.list({ pageSize, before: this.#last }));
    try {
      for (let n = 0; n < pageSize; n++) {
        const { done, value } = await states.next();
        if (states !== this.#states) return; // the list has begun anew
        this.#more.hidden = done === true;
        if (done) break;
        this.#list.append(this.#item(value, this.#list.childElementCount === 0));
        this.#last = value.revision;
      }
      this.#none.hidden = this.#list.childElementCount > 0;
      this.#loading = false;
      this.#inView.observe(this.#more);
    } catch (error) {
      if (states !== this.#states) return;
      this.#loading = false;
      this.#states = undefined;
      if (!(error instanceof FlashbackError) || error.status !== 404) throw error;
      this.#host.hidden = true; // a deployment without history
    }
  }

  #item(state: SettingsState, isCurrent: boolean): HTMLElement {
    const { revision, updatedAt, updatedBy, restoredFrom } = state;
    const when = updatedAt === undefined ? 'at an unknown time' : time(updatedAt);
    const what = [isCurrent ? 'current' : '', restoredFrom === undefined ? '' : 'restored'].filter(Boolean).join(', ');
    const open = button('', () => this.#page.run(() => this.#show(state, isCurrent)));
    open.append(when, element('span', {}, ` ${updatedBy ?? 'by an unknown user'}`), ...(what ? [element('small', {}, ` ${what}`)] : []));
    open.disabled = revision === undefined; // another program wrote it
    return element('li', {}, open);
  }

  /** Shows what made a state, and restores it if the person wants that. */
  async #show({ revision }: SettingsState, isCurrent: boolean): Promise<void> {
    const { history } = this.#settings;
    const state = await history.get(revision!);
    const before = state.changesText === undefined ? undefined : await this.#before(revision!);
    const shown = show(state, before, ['Before', 'After']);
    const title = element('p', {}, ...(state.updatedAt ? [time(state.updatedAt)] : []), ` ${state.updatedBy ?? 'by an unknown user'}`);
    const choice = await ask('What this change did', [title, ...shown], isCurrent ? [] : ['Restore the state after this change …']);
    if (choice === undefined) return;
    const confirmed = await this.#document.confirm('What restoring would change', state.text, 'Restore');
    if (!confirmed) return;
    await history.restore(revision!, { ifMatch: confirmed.etag });
    this.#page.say('Restored.');
    this.#page.changed();
    await this.#document.open();
    this.#document.focus();
  }

  /** Returns the document before a state. Before the first one it is empty. */
  async #before(revision: string): Promise<string> {
    const { history } = this.#settings;
    const { value } = await history.list({ before: revision, pageSize: 1 }).next();
    return value ? (await history.get((value as SettingsState).revision!)).text : '{}';
  }
}
