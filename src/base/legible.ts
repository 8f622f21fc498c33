/**
 * Text from outside (paths, labels, messages), made safe to read on a terminal and on a page.
 *
 * @module
 */

/**
 * Text with the characters made visible that would otherwise hide, break a line, drive a terminal (escape sequences), reverse what
 * follows them, or are not allowed in XML: control characters and bidirectional controls by their number (a line break becomes `⟨U+000A⟩`), lone surrogates and noncharacters
 * as `�`.
 *
 * Departs from plain display on purpose: a file name with a right-to-left override must not look like another file name.
 */
export function legible(text: string): string {
  return text.toWellFormed().replace(
    // deno-lint-ignore no-control-regex -- they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g,
    (character) => {
      const code = character.charCodeAt(0);
      return code >= 0xfffe ? "\ufffd" : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
    },
  );
}
