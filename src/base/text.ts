/**
 * The one reader of text that users give: tables, lists of names, files of boxes. It finds the encoding, or says why it cannot.
 *
 * @module
 */

/** Text, and how it was encoded. */
export interface DecodedText {
  /** Without a byte order mark. */
  readonly text: string;
  readonly encoding: "UTF-8" | "UTF-16LE" | "UTF-16BE" | "windows-1252";
  /** What a user should know: the encoding was inferred. Follows the file's name and a colon. */
  readonly notice?: string;
}

/** Why bytes are not text that can be read; the message follows the file's name and a colon. */
export class TextError extends Error {
  override name = "TextError";
}

const ADVICE = "save it as UTF-8 (in Excel: CSV UTF-8)";

/**
 * Decodes UTF-8 and UTF-16 (each with or without a byte order mark), and windows-1252 where nothing else fits: what Excel writes as "CSV" in
 * Western Europe. No character is ever replaced.
 *
 * windows-1252 is taken only where every word with a letter beyond ASCII reads as one of a Western European language; bytes of Cyrillic, Greek
 * or East Asian encodings, of Mac Roman or of DOS do not.
 *
 * @throws {TextError} when the bytes are not text, are broken, or their encoding cannot be told.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (!a && !b && c === 0xfe && d === 0xff)) {
    if (bytes.length >= 4) throw new TextError(`it is UTF-32 text; ${ADVICE}`);
  }
  if (a === 0xff && b === 0xfe) return utf16(bytes.subarray(2), "UTF-16LE");
  if (a === 0xfe && b === 0xff) return utf16(bytes.subarray(2), "UTF-16BE");
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    const inferred = utf16Order(bytes);
    if (!inferred) throw new TextError(`it is not text (a zero byte at ${zero})`);
    return { ...utf16(bytes, inferred), notice: `read as ${inferred}: it has no byte order mark` };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // deno-lint-ignore no-control-regex -- an escape sequence is what is looked for
    if (/\u{1b}[$(]/u.test(text)) throw new TextError(`it is ISO-2022 text, not UTF-8; ${ADVICE}`);
    return { text, encoding: "UTF-8" };
  } catch (error) {
    if (error instanceof TextError) throw error;
    return windows1252(bytes);
  }
}

/**
 * Text of a file whose format is Unicode by its definition, such as JSON: never windows-1252.
 *
 * @throws {TextError} when it is other text, or none.
 */
export function decodeUnicode(bytes: Uint8Array): string {
  const { text, encoding } = decodeText(bytes);
  if (encoding !== "windows-1252") return text;
  throw new TextError(`it is windows-1252 text; ${ADVICE.replace(/ \(.*/, "")}`);
}

function utf16(bytes: Uint8Array, encoding: "UTF-16LE" | "UTF-16BE"): DecodedText {
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
  } catch {
    throw new TextError(`its ${encoding} text is broken or cut short; ${ADVICE}`);
  }
}

/** The byte order of UTF-16 without a mark: zeros at one parity only, at a third of its places or more, and a line end or separator in this form. */
function utf16Order(bytes: Uint8Array): "UTF-16LE" | "UTF-16BE" | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const zeros = [0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros[i % 2]++;
  const half = bytes.length / 2;
  if (zeros[0] === 0 && zeros[1] * 3 >= half) return "UTF-16LE";
  if (zeros[1] === 0 && zeros[0] * 3 >= half) return "UTF-16BE";
  return undefined;
}

/** Sequences of two to four bytes that are one character in UTF-8. */
const UTF8_SEQUENCE = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g;

function windows1252(bytes: Uint8Array): DecodedText {
  // One character a byte, so that places stay places.
  const raw = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const sequences = raw.match(UTF8_SEQUENCE)?.length ?? 0;
  const rest = raw.replace(UTF8_SEQUENCE, (sequence) => " ".repeat(sequence.length));
  const others = rest.match(/[\x80-\xff]/g)?.length ?? 0;
  // A few pairs of windows-1252 look like UTF-8 (ß before a quotation mark), and most of broken UTF-8 is whole.
  if (sequences >= others) {
    const at = rest.search(/[\x80-\xff]/);
    throw new TextError(
      `its UTF-8 text is broken at byte ${at} (line ${lineOf(raw, at)}); ${ADVICE}`,
    );
  }
  const undefinedAt = raw.search(/[\x81\x8d\x8f\x90\x9d]/);
  if (undefinedAt >= 0) throw unknown(bytes[undefinedAt], lineOf(raw, undefinedAt));
  // deno-lint-ignore no-control-regex -- bytes that no text has
  const control = raw.search(/[\x00-\x08\x0e-\x1f\x7f]/);
  if (control >= 0) throw new TextError(`it is not text (a control character at byte ${control})`);
  const text = new TextDecoder("windows-1252", { fatal: true }).decode(bytes);
  const strange = strangeAt(text);
  if (strange !== undefined) {
    throw unknown(bytes[strange], lineOf(raw, strange));
  }
  const sample = /[^\s,;"]*[^\0-\x7f][^\s,;"]*/.exec(text)?.[0] ?? "";
  return {
    text,
    encoding: "windows-1252",
    notice: `read as windows-1252, since it is not UTF-8 (${JSON.stringify(sample.slice(0, 40))})`,
  };
}

function unknown(byte: number, line: number): TextError {
  const code = byte.toString(16).toUpperCase().padStart(2, "0");
  return new TextError(
    `its encoding cannot be told: it is not UTF-8, and as windows-1252 byte 0x${code} on line ${line} makes no Western European word; ${ADVICE}`,
  );
}

function lineOf(raw: string, at: number): number {
  return raw.slice(0, at).split(/\r\n|\r|\n/).length;
}

/**
 * Lower-case letters beyond ASCII by language, without those that windows-1250, -1252, -1254 and -1257 all have in one place (äéöüß): these
 * say nothing of the encoding.
 */
const ALPHABETS = [
  "àâæçèêëîïôœùûÿ", // French
  "áíñóúªº", // Spanish
  "áâãàçêíóôõúèªº", // Portuguese
  "àèìíîòóùúâêªº", // Italian
  "àçèíïñòóúáªº·", // Catalan, Galician, Occitan
  "åæøàáâçèêëñòóôšž", // Danish, Norwegian, Swedish, Finnish
  "áíóúýðþæ", // Icelandic, Faroese, Irish
  "àáâçèêëíïîñóòôöûú", // Dutch, German with foreign words
  "õšž", // Estonian
  "âêîôûŵŷàèìòùïëç", // Welsh, Gaelic
].map((letters) => new Set(letters));

/** Letters that say nothing: the same in all Windows encodings of Latin letters. */
const NEUTRAL = new Set("äéöüß");

/**
 * Where a text cannot be Western European: a symbol inside a word, upper case after lower case, words wholly beyond ASCII, a letter in a place where
 * none of the languages has it, or letters that no one language has together.
 */
function strangeAt(text: string): number | undefined {
  const seen = new Map<string, number>();
  for (const { 0: word, index } of text.matchAll(/[[\p{L}\p{M}]--[µªº]]+/gv)) {
    const beyond = [...word].filter((letter) => letter > "\x7f");
    if (beyond.length === 0) continue;
    const at = index + word.search(/[^\0-\x7f]/);
    const plain = beyond.every((letter) => NEUTRAL.has(letter.toLowerCase()));
    if (word.length > 1 && beyond.length === word.length && !(plain && word.length < 4)) return at;
    if (/([^\0-\x7f])(?!\1)[^\0-\x7f]{3}/.test(word)) return at;
    if (/œ(?![deistu])/i.test(word)) return at;
    if (/\p{Ll}[À-ÞŠŽŒŸ]|Ÿ\p{Ll}/u.test(word)) return at;
    // ė of Lithuanian; ë begins a syllable after a vowel.
    if (/[b-df-hj-np-tv-xz]ë/i.test(word)) return at;
    // č of Czech and Lithuanian, ő of Hungarian, ŕ of Slovak where these languages have them.
    if (/(?<=\p{L})[èà][aeiouyáíóúë](?!\p{L}?$)/iu.test(word)) return at;
    if (/(?:^|[^aeou])õ(?![eieo]|es)/iu.test(word) && /[áéíóú]/i.test(text)) return at;
    for (const letter of beyond) {
      const lower = letter.toLowerCase();
      if (!NEUTRAL.has(lower) && !seen.has(lower)) seen.set(lower, index + word.indexOf(letter));
    }
  }
  const symbol =
    /(?<=\p{L})(?:[\u0192\u02c6\u02dc\u2020\u2021\u2030\u2039\u203a\u20ac¡¢£¤¥¦§¨¬¯±´µ¶¸¿×÷„‚]|[”“–—‘™©®«»°¹²³¼½¾](?=\p{Ll}))|[\u0192\u02c6\u02dc\u20ac\u2030¢¤¥¦¨¬¯´¸×÷¾](?=\p{L})|[‚„](?![\p{L}\d])|(?<=\p{L}{3})’(?=[aeiou](?!\p{L}))/u
      .exec(text);
  if (symbol) return symbol.index;
  const opening = /[‚„]/.exec(text);
  if (opening && !/[‘’“”]/.test(text)) return opening.index;
  const letters = [...seen.keys()];
  // š and ž are ö and û in Mac Roman; ä and ö of windows-1252 are no letters there.
  const carons = letters.find((letter) => "šž".includes(letter));
  if (carons !== undefined && !/[äöõ]/i.test(text)) return seen.get(carons);
  // Turkish has ş, ı and ğ where Icelandic has þ, ý and ð; Croatian has đ and ć for ð and æ.
  const icelandic = letters.find((letter) => "þýð".includes(letter));
  if (icelandic !== undefined && !/[áíóú]/i.test(text)) return seen.get(icelandic);
  if (ALPHABETS.some((alphabet) => letters.every((letter) => alphabet.has(letter)))) {
    return undefined;
  }
  // Some languages in one table: each letter must be of one of the usual ones.
  const usual = letters.filter((letter) => !"àâçèêëîïôùûáíñóúæøåœ".includes(letter));
  return usual.length === 0 && /[éèê]/.test(text) ? undefined : seen.get(usual[0] ?? letters[0]);
}

/** Characters without width that stand at the ends of copied text. */
const INVISIBLE = "\\s\\u200b-\\u200d\\u2060\\ufeff";
const ENDS = new RegExp(`^[${INVISIBLE}]+|[${INVISIBLE}]+$`, "gu");

/** A label, name or value as emocam compares it: without space at its ends, in Unicode's composed form (NFC). */
export function tidy(text: string): string {
  return text.replace(ENDS, "").normalize("NFC");
}
