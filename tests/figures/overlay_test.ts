import assert from "node:assert/strict";
import type { OverlayData } from "../../src/figures/figure.ts";
import { overlay } from "../../src/figures/overlay.ts";
import { all, number, parseSvg } from "./parse_svg.ts";
import {
  assertAtLeast,
  assertAtMost,
  assertExcludes,
  assertIncludes,
  assertNone,
  assertSome,
} from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const DATA: OverlayData = {
  title: "Grad-CAM: happy (p = 0.98)",
  width: 300,
  height: 200,
  boxes: [
    { label: "mouth", x0: 100, y0: 120, x1: 180, y1: 160, importance: 0.42, salient: true },
    { label: "nose", x0: 20, y0: 50, x1: 60, y1: 90, importance: NaN, salient: false },
  ],
  threshold: 0.3,
};

const texts = (svg: string) => all(parseSvg(svg), "text").map((text) => text.textContent ?? "");

/** The white outlines of boxes in the picture (icons of the legend are smaller than 30 px). */
const outlines = (svg: string) =>
  all(parseSvg(svg), "rect").filter((rect) =>
    rect.getAttribute("stroke") === "#ffffff" && number(rect, "width") >= 30
  );

Deno.test("overlay draws each box where it is, solid where salient and dashed where not", () => {
  const svg = overlay(DATA);
  const [ground] = all(parseSvg(svg), "rect").filter((rect) => number(rect, "width") === 300);
  const [left, top] = [number(ground, "x"), number(ground, "y")];
  // The least important is painted first.
  assert.deepEqual(
    outlines(svg).map((rect) => [
      number(rect, "x") - left,
      Math.round((number(rect, "y") - top) * 100) / 100,
      number(rect, "width"),
      number(rect, "height"),
      rect.getAttribute("stroke-dasharray"),
    ]),
    [[20, 50, 40, 40, "4 3"], [100, 120, 80, 40, null]],
  );
});

Deno.test("overlay labels boxes with their importance, n/a for NaN, and explains both kinds of line", () => {
  const found = texts(overlay(DATA));
  for (const text of ["mouth 0.42", "nose n/a", "box > 0.30", "≤ 0.30", DATA.title]) {
    assert.ok(found.includes(text), `${text} is not among ${found.join(" | ")}`);
  }
  assertExcludes(texts(overlay(DATA, { legend: false })), "box > 0.30");
});

Deno.test("overlay scales picture, map and boxes together", () => {
  const href = "data:image/png;base64,AAAA";
  const data = {
    ...DATA,
    imageHref: href,
    map: { href, region: { x0: 30, y0: 20, x1: 270, y1: 180 } },
  };
  const [photo, map] = all(parseSvg(overlay(data, { width: 600 })), "image");
  assert.deepEqual([number(photo, "width"), number(photo, "height")], [600, 400]);
  assert.deepEqual([number(map, "width"), number(map, "height")], [480, 320]);
  // Coordinates are written with two decimals.
  assertClose(number(map, "x") - number(photo, "x"), 60, 0.011);
  assertClose(number(map, "y") - number(photo, "y"), 40, 0.011);
});

Deno.test("overlay cuts boxes at the edge and counts those outside", () => {
  const boxes = [
    { label: "edge", x0: -50, y0: -50, x1: 40, y1: 40, importance: 0.5, salient: true },
    { label: "outside", x0: 400, y0: 0, x1: 450, y1: 40, importance: 0.5, salient: true },
  ];
  const svg = overlay({ ...DATA, boxes });
  assert.deepEqual(outlines(svg).map((rect) => [number(rect, "width"), number(rect, "height")]), [[
    40,
    40,
  ]]);
  assertIncludes(texts(svg), "1 box outside this picture.");
  assertNone(texts(svg), (text) => text.startsWith("outside"));
});

Deno.test("overlay labels only the most important boxes when there are many, and says so", () => {
  const boxes = Array.from({ length: 30 }, (_, i) => ({
    label: `b${i}`,
    x0: (i * 37) % 250,
    y0: (i * 53) % 150,
    x1: ((i * 37) % 250) + 40,
    y1: ((i * 53) % 150) + 40,
    importance: i / 30,
    salient: i > 9,
  }));
  const svg = overlay({ ...DATA, boxes }, { maxLabels: 5 });
  assert.equal(outlines(svg).length, 30);
  assert.deepEqual(texts(svg).filter((text) => /^b\d/.test(text)).map((t) => t.split(" ")[0]), [
    "b25",
    "b26",
    "b27",
    "b28",
    "b29",
  ]);
  assertIncludes(texts(svg), "Labelled: the 5 of 30 boxes with the highest importance.");
});

Deno.test("overlay says that a map is undefined, and draws none", () => {
  const svg = overlay({ ...DATA, map: { region: { x0: 0, y0: 0, x1: 300, y1: 200 } } });
  assert.equal(all(parseSvg(svg), "image").length, 0);
  assertIncludes(texts(svg), "map undefined (NaN)");
  assertExcludes(texts(overlay(DATA)), "map undefined (NaN)");
});

Deno.test("overlay without boxes is a picture with its title", () => {
  const svg = overlay({ ...DATA, boxes: [] });
  assert.deepEqual(texts(svg), [DATA.title]);
});

Deno.test("overlay keeps label plates inside the picture, however long the labels", () => {
  const label = "W".repeat(2000);
  const boxes = [[0, 0], [280, 0], [0, 180], [280, 180]].map(([x, y]) => ({
    label,
    x0: x,
    y0: y,
    x1: x + 20,
    y1: y + 20,
    importance: 0.5,
    salient: true,
  }));
  const root = parseSvg(overlay({ ...DATA, boxes }));
  const ground = all(root, "rect").find((rect) => number(rect, "width") === 300)!;
  const plates = all(root, "rect").filter((rect) => rect.getAttribute("rx") === "2");
  assert.equal(plates.length, 4);
  for (const plate of plates) {
    const dx = number(plate, "x") - number(ground, "x");
    const dy = number(plate, "y") - number(ground, "y");
    assertAtLeast(dx, -0.01);
    assertAtMost(dx + number(plate, "width"), 300.02);
    assertAtLeast(dy, -0.01);
    assertAtMost(dy + number(plate, "height"), 200.02);
  }
});

Deno.test("overlay escapes labels and titles, and equal data give equal bytes", () => {
  const evil = `"/><script>1</script>\n\u202e😀`;
  const data = { ...DATA, title: evil, boxes: [{ ...DATA.boxes[0], label: evil }] };
  const svg = overlay(data);
  assert.equal(all(parseSvg(svg), "script").length, 0);
  assertSome(texts(svg), (text) => text.includes("<script>1</script>⟨U+000A⟩⟨U+202E⟩😀"));
  assert.equal(svg, overlay(structuredClone(data)));
});

Deno.test("overlay refuses a picture without a size", () => {
  assert.throws(() => overlay({ ...DATA, width: 0 }), RangeError);
});
