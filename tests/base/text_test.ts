/** Encodings: bytes made by Python 3's codecs (`text.encode(encoding)`). */

import assert from "node:assert/strict";
import { decodeText, TextError, tidy } from "../../src/base/text.ts";

const READ: readonly [string, string, string][] = [
  [
    "cp1252",
    "path,emotion\nmüller.png,Ärger\nb.png,Überraschung\n",
    "cGF0aCxlbW90aW9uCm38bGxlci5wbmcsxHJnZXIKYi5wbmcs3GJlcnJhc2NodW5nCg==",
  ],
  [
    "cp1252",
    "colère, dégoût, très gêné, déjà à l’œuvre, Noël, façade, naïve, poète",
    "Y29s6HJlLCBk6Wdv+3QsIHRy6HMgZ+pu6SwgZOlq4CDgIGySnHV2cmUsIE5v62wsIGZh52FkZSwgbmHvdmUsIHBv6HRl",
  ],
  [
    "cp1252",
    "alegría, niño, ¿qué?, ¡sí!, vergüenza",
    "YWxlZ3LtYSwgbmnxbywgv3F16T8sIKFz7SEsIHZlcmf8ZW56YQ==",
  ],
  [
    "cp1252",
    "emoção, não, ações, mãe à noite, põe",
    "ZW1v5+NvLCBu428sIGHn9WVzLCBt42Ug4CBub2l0ZSwgcPVl",
  ],
  [
    "cp1252",
    "felicità, perché, più, è così, caffè",
    "ZmVsaWNpdOAsIHBlcmNo6SwgcGn5LCDoIGNvc+wsIGNhZmbo",
  ],
  [
    "cp1252",
    "glæde, søen, ånd, på, glädje, rädsla, förvåning",
    "Z2zmZGUsIHP4ZW4sIOVuZCwgcOUsIGds5GRqZSwgcuRkc2xhLCBm9nJ25W5pbmc=",
  ],
  [
    "cp1252",
    "gleði, reiði, ótti, þýðing, hræðsla",
    "Z2xl8GksIHJlafBpLCDzdHRpLCD+/fBpbmcsIGhy5vBzbGE=",
  ],
  ["cp1252", "rõõm, üllatus, jäääär", "cvX1bSwg/GxsYXR1cywgauTk5ORy"],
  [
    "cp1252",
    "“quoted” – it’s 5 € … 20 °C, 50 µm, 3 m², 1½",
    "k3F1b3RlZJQgliBpdJJzIDUggCCFIDIwILBDLCA1MCC1bSwgMyBtsiwgMb0=",
  ],
  ["cp1252", "path,label\na.png,café", "cGF0aCxsYWJlbAphLnBuZyxjYWbp"],
  [
    "cp1252",
    "Weiß, Groß, Füße: “Spaß”, photo n°5, „süß“",
    "V2Vp3ywgR3Jv3ywgRvzfZTogk1NwYd+ULCBwaG90byBusDUsIIRz/N+T",
  ],
  [
    "cp1252",
    "ÜBERRASCHUNG, GRÖSSE, COLÈRE, DÉGOÛT",
    "3EJFUlJBU0NIVU5HLCBHUtZTU0UsIENPTMhSRSwgRMlHT9tU",
  ],
  ["cp1252", "AÇÃO, EMOÇÃO", "QcfDTywgRU1Px8NP"],
  [
    "cp1252",
    "frère, Noël, Citroën, île, août, Œuvre, cœur",
    "ZnLocmUsIE5v62wsIENpdHJv624sIO5sZSwgYW/7dCwgjHV2cmUsIGOcdXI=",
  ],
  [
    "cp1252",
    "één, beïnvloed, häpeä, yllätys, blåbærgrød",
    "6eluLCBiZe9udmxvZWQsIGjkcGXkLCB5bGzkdHlzLCBibOVi5nJncvhk",
  ],
  ["cp1252", "ciutat, això, cançó, il·lusió", "Y2l1dGF0LCBhaXjyLCBjYW7n8ywgaWy3bHVzafM="],
  ["cp1252", "Björk Guðmundsdóttir", "Qmr2cmsgR3XwbXVuZHNk83R0aXI="],
  [
    "utf-16-be",
    "path,emotion\na,Ärger\n",
    "AHAAYQB0AGgALABlAG0AbwB0AGkAbwBuAAoAYQAsAMQAcgBnAGUAcgAK",
  ],
  [
    "utf-16-le",
    "path,emotion\na,Ärger\n",
    "cABhAHQAaAAsAGUAbQBvAHQAaQBvAG4ACgBhACwAxAByAGcAZQByAAoA",
  ],
  ["utf-16", "path,emotion\na,喜び\n", "//5wAGEAdABoACwAZQBtAG8AdABpAG8AbgAKAGEALACcVXMwCgA="],
  ["utf-8-sig", "a,喜び\n", "77u/YSzllpzjgbMK"],
  ["utf-8", "Ärger “x”\n", "w4RyZ2VyIOKAnHjigJ0K"],
];

const REFUSED: readonly [string, string, string][] = [
  ["cp1251", "радость, гнев", "8ODk7vHy/Cwg4+3l4g=="],
  ["cp1253", "χαρά", "9+Hx3A=="],
  ["koi8-r", "радость", "0sHEz9PU2A=="],
  ["cp1255", "שמחה", "+e7n5A=="],
  ["cp1256", "فرح", "3dHN"],
  ["shift_jis", "喜び, 怒り", "iuyC0Swgk3uC6A=="],
  ["euc-jp", "喜び", "tO6k0w=="],
  ["iso2022_jp", "喜び", "GyRCNG4kUxsoQg=="],
  ["gbk", "高兴, 生气", "uN/QyywgyfrG+A=="],
  ["big5", "高興", "sKq/sw=="],
  ["euc-kr", "기쁨", "seK73Q=="],
  ["mac-roman", "Ärger, müller", "gHJnZXIsIG2fbGxlcg=="],
  ["mac-roman", "schön", "c2Nomm4="],
  ["mac-roman", "España", "RXNwYZZh"],
  ["mac-roman", "alegría", "YWxlZ3KSYQ=="],
  ["mac-roman", "colère, déjà", "Y29sj3JlLCBkjmqI"],
  ["mac-roman", "glæde, søen", "Z2y+ZGUsIHO/ZW4="],
  ["cp850", "Ärger, müller", "jnJnZXIsIG2BbGxlcg=="],
  ["cp850", "Überraschung", "mmJlcnJhc2NodW5n"],
  ["cp850", "niño, alegría", "bmmkbywgYWxlZ3KhYQ=="],
  ["cp850", "dégoût", "ZIJnb5Z0"],
  ["cp1250", "radość", "cmFkb5zm"],
  ["cp1250", "złość", "erNvnOY="],
  ["cp1250", "smutek, hněv, překvapení", "c211dGVrLCBobux2LCBw+GVrdmFwZW7t"],
  ["cp1250", "zaskočení", "emFza2/oZW7t"],
  ["cp1250", "štěstí", "mnTsc3Tt"],
  ["cp1250", "meglepődés", "bWVnbGVw9WTpcw=="],
  ["cp1250", "tuga, sreća, iznenađenje", "dHVnYSwgc3Jl5mEsIGl6bmVuYfBlbmpl"],
  ["cp1250", "veselje, žalost, presenečenje", "dmVzZWxqZSwgnmFsb3N0LCBwcmVzZW5l6GVuamU="],
  ["cp1250", "smútok, radosť, prekvapenie", "c236dG9rLCByYWRvc50sIHByZWt2YXBlbmll"],
  ["cp1257", "laime, liūdesys, baimė", "bGFpbWUsIGxp+2Rlc3lzLCBiYWlt6w=="],
  ["mac-roman", "Müller, façade", "TZ9sbGVyLCBmYY1hZGU="],
  ["cp850", "é", "gg=="],
  ["cp866", "радость", "4KCkruHi7A=="],
  ["cp932", "悲しみ, 驚き", "lN+CtYLdLCCLwYKr"],
  ["cp949", "슬픔, 분노", "vb3HxCwgutCz6w=="],
  ["tis-620", "ความสุข", "pMfSwcrYog=="],
  ["cp1254", "üzüntü, şaşkınlık, öfke", "/Hr8bnT8LCD+Yf5r/W5s/WssIPZma2U="],
  ["cp1254", "iğrenme", "afByZW5tZQ=="],
  ["cp1257", "liūdesys, džiaugsmas", "bGn7ZGVzeXMsIGT+aWF1Z3NtYXM="],
  [
    "utf-32",
    "path,emotion\na,Ärger\n",
    "//4AAHAAAABhAAAAdAAAAGgAAAAsAAAAZQAAAG0AAABvAAAAdAAAAGkAAABvAAAAbgAAAAoAAABhAAAALAAAAMQAAAByAAAAZwAAAGUAAAByAAAACgAAAA==",
  ],
];

const bytesOf = (base64: string) => Uint8Array.fromBase64(base64);

Deno.test("UTF-8, UTF-16 and windows-1252 are read as they were written", () => {
  for (const [encoding, text, base64] of READ) {
    const decoded = decodeText(bytesOf(base64));
    assert.equal(decoded.text, text, encoding);
    const inferred = encoding === "cp1252" || /-[lb]e$/.test(encoding);
    assert.equal(decoded.notice !== undefined, inferred, `${encoding}: ${decoded.notice}`);
  }
});

Deno.test("what is written in another encoding is refused, not read as another text", () => {
  for (const [encoding, text, base64] of REFUSED) {
    assert.throws(() => decodeText(bytesOf(base64)), TextError, `${encoding}: ${text}`);
  }
});

Deno.test("a notice names windows-1252 and shows a word of it", () => {
  const { notice } = decodeText(new Uint8Array([0x61, 0x2c, 0xc4, 0x72, 0x67, 0x65, 0x72]));
  assert.equal(notice, 'read as windows-1252, since it is not UTF-8 ("Ärger")');
});

Deno.test("broken text is refused with its place", () => {
  const utf8 = new TextEncoder().encode("path\nmüller.png\nÄrger");
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array([...utf8, 0x0a, 0xfc, 0x0a]), /UTF-8 text is broken at byte 24 \(line 4\)/],
    [new Uint8Array([0x61, 0x00, 0x62]), /not text \(a zero byte at 1\)/],
    [new Uint8Array([0xff, 0xfe, 0x61, 0x00, 0x62]), /UTF-16LE text is broken or cut short/],
    [new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), /not text/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => decodeText(bytes), (error) => {
      assert.ok(error instanceof TextError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("the ends of a label are not part of it, nor is its Unicode form", () => {
  assert.equal(tidy("\u00a0 Dog\u200b\t"), "Dog");
  assert.equal(tidy("mu\u0308ll"), "m\u00fcll");
  assert.equal(tidy(" \ufeff"), "");
});
