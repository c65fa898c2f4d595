// SPDX-License-Identifier: LGPL-2.0-or-later
// Opens pages and hands selections over. Holds no key, no plaintext and no state outside of storage.session: it is
// stopped at any time, and begins again with the next event.
import { type Messages, type Unverified, verified } from '../messages';
import { keepSelection, takeSelection } from './selection';

const menu = 'open-selection';

chrome.runtime.onInstalled.addListener(({ reason }) => {
  chrome.contextMenus.create({
    id: menu,
    title: chrome.i18n.getMessage('menu_open_selection'),
    contexts: ['selection'],
  });
  if (reason === 'install') void openPage('welcome');
});

chrome.action.onClicked.addListener(() => void openPage('reader'));

chrome.contextMenus.onClicked.addListener((info, tab) => {
  if (info.menuItemId === menu && tab?.id !== undefined) void openSelection(tab.id, info.frameId ?? 0);
});

chrome.runtime.onMessage.addListener((message: Unverified, sender, answer) => {
  const asked = verified(message, sender);
  if (!asked) return false;
  const answers: { [K in keyof Messages]: (ask: Messages[K]['ask']) => Promise<Messages[K]['answer']> } = {
    'selection/take': async ({ token }) => ({ text: await takeSelection(token) }),
  };
  answers[asked.kind](asked.ask).then(answer, () => answer(null));
  return true;
});

function openPage(page: 'reader' | 'welcome', fragment = '') {
  return chrome.tabs.create({ url: chrome.runtime.getURL(`pages/${page}.html${fragment}`) });
}

/** The menu entry's own text has lost its line ends, which armor needs; the click lets us ask the page itself. */
async function openSelection(tabId: number, frameId: number) {
  const [result] = await chrome.scripting.executeScript({
    target: { tabId, frameIds: [frameId] },
    func: () => getSelection()?.toString() ?? '',
  });
  await openPage('reader', `#${await keepSelection(result?.result ?? '')}`);
}
