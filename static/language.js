// The customer's language: which catalogue there is for it, and its texts, fetched when they are needed and checked by
// their hash. English is built in.

import { TAG } from "./options.js";
import { fetched, once } from "./load.js";

export const ENGLISH_LANGUAGE = { tag: "en", dir: "ltr", messages: {} };

/**
 * The catalogue for a BCP 47 tag, and the tag for `Intl`; none where there is none, or the tag is no tag. Of the list of
 * languages `hashes` has every catalogue; `aliases` are languages that have one under another name; `abroad` is where a
 * language is written in one way at home and in another in all other countries.
 */
const find = ({ hashes, aliases, abroad, tags }, tag) => {
  try {
    const locale = new Intl.Locale(tag);
    const { language, region } = locale;
    const { script } = locale.maximize();
    const away = region && !abroad[language]?.home.includes(region) && abroad[language]?.name;
    const name = [`${language}-${region}`, away, `${language}-${script}`, aliases[language] ?? language].find((name) => hashes[name]);
    const own = new Intl.Locale(name).maximize();
    // Numbers and dates in the customer's own way, unless that is another language's or script's.
    const isOwn = own.language === language && own.script === script && !tags[tag];
    return { name, tag: isOwn ? tag : tags[name] ?? name };
  } catch {
    // Neither a tag nor a catalogue's name: none.
  }
};

/**
 * Gives the language for a `locale`: `{ tag, dir, messages }`, from that option, the page's `lang` and the browser's
 * languages; English where nothing fits. `file` gives the URL of a file by its name, `integrity` is the hash of the list of
 * languages. Never fails: without its texts the widget speaks English.
 */
export const makeLanguages = (file, integrity) => {
  const load = (name, hash) => once(async () => JSON.parse(new TextDecoder().decode(await fetched(file(`locales/${name}.json`), hash))));
  const loadList = load("index", integrity);
  const catalogues = {};
  return async (locale) => {
    const asked = [locale === "auto" ? "" : locale, document.documentElement.lang].filter(Boolean);
    const [first] = [...asked, ...navigator.languages];
    if (/^en(-US)?$/i.test(first)) return { ...ENGLISH_LANGUAGE, tag: first };
    try {
      const list = await loadList();
      let found;
      for (const tag of [...asked, ...navigator.languages, "en"]) {
        if ((found = find(list, tag))) break;
        if (asked.includes(tag)) console.warn(`${TAG}: there are no texts in "${tag}".`);
      }
      const { name, tag } = found;
      catalogues[name] ??= name === "en" ? () => ENGLISH_LANGUAGE : load(name, list.hashes[name]);
      return { ...(await catalogues[name]()), tag };
    } catch (error) {
      console.warn(`${TAG}: texts are missing; English is shown.`, error);
      return ENGLISH_LANGUAGE;
    }
  };
};
