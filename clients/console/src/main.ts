import { FlashbackError, type OrganizationSettings } from '@flashback/client';
import { Caller, mayWrite } from './caller.js';
import { SettingsDocument } from './document.js';
import { SettingsHistory } from './history.js';

/** What the parts of the page share. */
export interface Page {
  /** Tells the person something. */
  say(text: string): void;
  /** Does what the person has asked for, and tells an error. */
  run(call: () => Promise<void>): void;
  /** Tells an error of what nobody has asked for. */
  watch(call: Promise<void>): void;
  /** The service has a new state. */
  changed(): void;
}

const byId = (id: string): HTMLElement => document.getElementById(id)!;
const status = byId('status');
let settings: OrganizationSettings;
let write = false; // whether the caller may
let running = 0;

const page: Page = {
  say(text) {
    status.className = '';
    status.textContent = text;
  },
  run(call) {
    page.say('');
    page.watch(call());
  },
  watch(call) {
    document.body.ariaBusy = String(++running > 0);
    call
      .catch((error) => {
        page.say(explain(error));
        status.className = 'error';
      })
      .finally(() => (document.body.ariaBusy = String(--running > 0)));
  },
  changed() {
    page.watch(history.open(settings, write));
  },
};

const settingsDocument = new SettingsDocument(byId('document'), page);
const history = new SettingsHistory(byId('history'), page, settingsDocument);
const caller = new Caller(byId('caller'), () => settingsDocument.leave(), (signedIn) => {
  settings = signedIn;
  const parts = byId('parts');
  parts.hidden = !settingsDocument.isEdited;
  page.run(async () => {
    const may = await mayWrite(signedIn);
    if (settings !== signedIn) return; // another person has taken over
    write = may;
    caller.may(write);
    await Promise.all([settingsDocument.open(settings, !write), history.open(settings, write)]);
    parts.hidden = false;
  });
});
page.run(() => caller.start());

function explain(error: unknown): string {
  if (!(error instanceof FlashbackError)) return error instanceof Error ? error.message : String(error);
  switch (error.kind) {
    case 'network':
    case 'timeout':
      return "The service cannot be reached, or it does not allow this page's origin (CorsAllowOrigins). Nothing here is lost: try again.";
    case 'token':
      return 'There is no usable access token.';
  }
  if (error.status === 401) {
    caller.refused();
    return 'The access token has expired or is not accepted. Enter a new one; your edits stay.';
  }
  return error.error === undefined ? `${error.message}.` : `${error.message}: ${error.error}.`;
}
