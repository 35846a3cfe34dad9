import { FlashbackError, type OrganizationSettings, type SettingsState } from '@flashback/client';
import { show } from './changes.js';
import type { Document } from './document.js';
import { ask, button, element, time } from './dom.js';
import type { Page } from './main.js';

const pageSize = 20;

/** History: lists the states, shows what each changed and restores one. */
export class History {
  readonly #host: HTMLElement;
  readonly #page: Page;
  readonly #document: Document;
  readonly #list = element('ol');
  readonly #more: HTMLButtonElement;
  #settings!: OrganizationSettings;
  #states: AsyncIterator<SettingsState> | undefined; // undefined: the list is complete, or an error has ended it
  #last: string | undefined;
  #loading = false;

  constructor(host: HTMLElement, page: Page, document: Document) {
    this.#host = host;
    this.#page = page;
    this.#document = document;
    this.#more = button('Show older ones', () => page.watch(this.#load()));
    host.append(this.#list, this.#more);
    new IntersectionObserver(([entry]) => entry!.isIntersecting && !this.#more.hidden && this.#more.click()).observe(this.#more);
  }

  /** Lists the states from the newest on. */
  async open(settings: OrganizationSettings, visible: boolean): Promise<void> {
    this.#host.hidden = !visible;
    this.#list.replaceChildren();
    this.#settings = settings;
    this.#states = this.#last = undefined;
    if (visible) await this.#load();
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    const list = this.#list;
    this.#states ??= this.#settings.history.list({ pageSize, before: this.#last });
    try {
      for (let n = 0; n < pageSize; n++) {
        const { done, value } = await this.#states.next();
        this.#more.hidden = done === true;
        if (done) break;
        list.append(this.#item(value, list.childElementCount === 0));
        this.#last = value.revision;
      }
    } catch (error) {
      this.#states = undefined;
      if (!(error instanceof FlashbackError) || error.status !== 404) throw error;
      this.#host.hidden = true; // a deployment without history
    } finally {
      this.#loading = false;
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
    const shown = show(state.changesText, state.truncated === true, await this.#before(revision!), state.text, ['Before', 'After']);
    const title = element('p', {}, ...(state.updatedAt ? [time(state.updatedAt)] : []), ` ${state.updatedBy ?? 'by an unknown user'}`);
    const choice = await ask('What this change did', [title, ...shown], isCurrent ? [] : ['Restore …']);
    if (choice === undefined) return;
    const confirmed = await this.#document.confirm('What restoring would change', state.text, 'Restore');
    if (!confirmed) return;
    await history.restore(revision!, { ifMatch: confirmed.etag });
    this.#page.say('Restored.');
    this.#page.changed();
    await this.#document.open();
  }

  /** Returns the document before a state, or undefined if it is gone. */
  async #before(revision: string): Promise<string | undefined> {
    const { history } = this.#settings;
    for await (const { revision: before } of history.list({ before: revision, pageSize: 1 })) {
      return before && (await history.get(before)).text;
    }
    return '{}';
  }
}
