/** Makes an element. Strings become text, never HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(text: string, onclick: () => void): HTMLButtonElement {
  return element('button', { type: 'button', onclick }, text);
}

const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** Shows an RFC 3339 time in the reader's zone, to the second, and with its zone on hover. */
export function time(at: string): HTMLTimeElement {
  const date = new Date(at);
  return element('time', { dateTime: at, title: `${exact.format(date)} (${at})` }, short.format(date));
}

/**
 * Asks the person to choose one of actions, by their texts. It returns undefined if the person closes the dialog. The last
 * action is the primary one, if there is one.
 */
export function ask<A extends string>(title: string, body: Node[], actions: readonly A[], primary = true): Promise<A | undefined> {
  const heading = element('h2', { id: 'dialog-title', tabIndex: -1, autofocus: true }, title); // not an editor, which opens a keyboard
  const dialog = element('dialog', {}, heading, element('div', { className: 'body' }, ...body));
  dialog.setAttribute('aria-labelledby', heading.id);
  const buttons = [button('Close', () => dialog.close()), ...actions.map((action) => button(action, () => dialog.close(action)))];
  if (primary && actions.length > 0) buttons.at(-1)!.className = 'primary';
  dialog.append(element('p', { className: 'buttons' }, ...buttons));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve((dialog.returnValue || undefined) as A | undefined);
    };
    dialog.showModal();
  });
}
