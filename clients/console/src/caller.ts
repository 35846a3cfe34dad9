import { FlashbackClient, FlashbackError, type AccessToken, type OrganizationSettings } from '@flashback/client';
import { element } from './dom.js';
import { signIn } from './sign-in.js';

/** What the host of the page says: stack.json beside the page. The local stack has demo users and gives tokens. */
interface Stack {
  gateway?: string;
  users?: { name: string; note: string }[] | null;
}

/** Who am I: chooses the API and the token. The token is in memory only. */
export class Caller {
  readonly #host: HTMLElement;
  readonly #mayLeave: () => boolean;
  readonly #signedIn: (settings: OrganizationSettings) => void;
  #stack: Stack = {};
  readonly #rights = element('span', { id: 'rights' });

  /** Before another person takes over, mayLeave is asked. After that, and with every new token, signedIn is called. */
  constructor(host: HTMLElement, mayLeave: () => boolean, signedIn: (settings: OrganizationSettings) => void) {
    this.#host = host;
    this.#mayLeave = mayLeave;
    this.#signedIn = signedIn;
  }

  async start(): Promise<void> {
    this.#stack = await readStack();
    if (this.#stack.users) {
      this.#choose(this.#stack.users);
    } else if (this.#stack.gateway && (await signIn(false)) !== undefined) {
      this.#host.replaceChildren(this.#rights);
      this.#connect(this.#stack.gateway, async ({ refresh }) => (await signIn(refresh)) ?? '');
    } else {
      this.#askForToken();
    }
  }

  /** Says what the caller may do. */
  may(write: boolean): void {
    this.#rights.textContent = write
      ? 'You may read and change these settings.'
      : 'You may read these settings. Owners and administrators may change them and see their history.';
  }

  /** The service refuses the token, and there is no other one. */
  refused(): void {
    if (!this.#stack.users) this.#host.querySelector<HTMLInputElement>('input[type=password]')?.focus();
  }

  #connect(baseUrl: string, accessToken: AccessToken): void {
    this.#rights.textContent = '';
    this.#signedIn(new FlashbackClient({ baseUrl, accessToken }).settings.organization);
  }

  #choose(users: NonNullable<Stack['users']>): void {
    const note = element('span');
    const select = element('select', {}, ...users.map(({ name }) => element('option', {}, name)));
    let chosen = -1;
    select.onchange = () => {
      if (!this.#mayLeave()) {
        select.selectedIndex = chosen;
        return;
      }
      chosen = select.selectedIndex;
      const user = users[chosen]!;
      note.textContent = `${user.note}.`;
      this.#connect(this.#stack.gateway!, tokensOf(user.name));
    };
    this.#host.replaceChildren(element('label', {}, 'You are ', select), ' ', note, ' ', this.#rights);
    select.onchange(new Event('change'));
  }

  #askForToken(): void {
    const address = element('input', { type: 'url', required: true, value: this.#stack.gateway ?? '', placeholder: 'https://…' });
    const token = element('input', { type: 'password', required: true, autocomplete: 'off' });
    const form = element('form', {}, element('label', {}, 'API ', address), ' ', element('label', {}, 'Access token ', token), ' ');
    form.append(element('button', {}, 'Open'));
    let person: string | undefined;
    form.onsubmit = (event) => {
      event.preventDefault();
      address.value = address.value.replace(/\/settings\/organization\/?$/, '');
      const given = token.value.trim().replace(/^Bearer\s+/i, '');
      const next = `${address.value} ${subjectOf(given)}`;
      if (next !== person && !this.#mayLeave()) return;
      person = next;
      this.#connect(address.value, given);
      token.value = '';
    };
    const note = 'These are the settings of the organization that you are a member of.';
    this.#host.replaceChildren(form, element('p', {}, note, ' ', this.#rights));
    (address.value ? token : address).focus();
  }
}

/** Tells whose token it is: issuer and subject (RFC 7519, section 4.1), unverified. What is no JWT is its own subject. */
function subjectOf(token: string): string {
  try {
    const { iss, sub } = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')));
    return JSON.stringify([iss, sub]);
  } catch {
    return token;
  }
}

/** Reports whether the caller may write. Nothing is written. */
export async function mayWrite(settings: OrganizationSettings): Promise<boolean> {
  try {
    await settings.preview.partialUpdate({}, { ifMatch: '*' });
  } catch (error) {
    if (!(error instanceof FlashbackError)) throw error;
    if (error.status === 403) return false;
    if (error.status !== 412) throw error; // which comes after the role: settings that were never written
  }
  return true;
}

/** Takes the demo tokens of a user. A refused one, such as one from before the stack's last start, is replaced. */
function tokensOf(user: string): AccessToken {
  let token: string | undefined;
  return async ({ refresh, signal }) => {
    if (token === undefined || refresh) {
      const response = await fetch(`token?user=${encodeURIComponent(user)}`, { signal });
      if (!response.ok) throw new Error(`token: status ${response.status}`);
      token = await response.text();
    }
    return token;
  };
}

async function readStack(): Promise<Stack> {
  try {
    const response = await fetch('stack.json');
    return response.ok ? ((await response.json()) as Stack) : {};
  } catch {
    return {}; // some hosts answer with a page
  }
}
