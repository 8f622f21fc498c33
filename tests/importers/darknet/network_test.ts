import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";
import { parseCfg } from "../../../src/importers/darknet/cfg.ts";
import { type DarknetLayer, weightCounts } from "../../../src/importers/darknet/layer.ts";
import { readNetwork } from "../../../src/importers/darknet/network.ts";
import { NETWORKS } from "./files.ts";

const NET = "[net]\nwidth=32\nheight=24\nchannels=3\n";
const HEAD = "[convolutional]\nfilters=12\nactivation=linear\n";
const YOLO = "[yolo]\nmask=0,1\nnum=3\nanchors=1,2,3,4,5,6\nclasses=1\n";

const read = (text: string) => readNetwork(parseCfg(text, "made.cfg"), "made.cfg");

function sizes(layers: readonly DarknetLayer[]): number[][] {
  return layers.map(({ output: { channels, height, width } }) => [channels, height, width]);
}

Deno.test("a network has the sizes of its layers, the floats it needs, its heads and their anchors", () => {
  const { layers, classes, notices, input } = read(`${NET}
[convolutional]
batch_normalize=1
filters=8
size=5
stride=3
pad=1
groups=1
activation=leaky
[maxpool]
stride=2
${HEAD}${YOLO}`);
  assert.deepEqual(input, { channels: 3, height: 24, width: 32 });
  // (24 + 4 - 5) / 3 + 1 and (32 + 4 - 5) / 3 + 1; then (8 + 1 - 2) / 2 + 1 and (11 + 1 - 2) / 2 + 1.
  assert.deepEqual(sizes(layers), [[8, 8, 11], [8, 4, 6], [12, 4, 6], [12, 4, 6]]);
  assert.deepEqual(layers.map((layer) => weightCounts(layer)?.total ?? 0), [
    4 * 8 + 8 * 3 * 25,
    0,
    12 + 12 * 8,
    0,
  ]);
  assert.deepEqual(layers[3].operation, {
    kind: "yolo",
    head: { classes: 1, anchors: [[1, 2], [3, 4]] },
  });
  assert.deepEqual([classes, notices], [1, []]);
});

Deno.test("the four small networks need the floats of their weights files", async () => {
  const bytes = { mini3: 333468, odd: 16148, tiny: 340052, wide: 195348 };
  for (const [net, size] of Object.entries(bytes)) {
    const { layers } = read(await Deno.readTextFile(new URL(`${net}.cfg`, NETWORKS)));
    const floats = layers.reduce((sum, layer) => sum + (weightCounts(layer)?.total ?? 0), 0);
    assert.equal(20 + 4 * floats, size, net);
  }
});

Deno.test("blanks, tabs, comments, CR, short section names and comments after numbers change nothing", () => {
  const plain = read(`${NET}${HEAD}[maxpool]\nsize=2\nstride=2\n[conv]\nfilters=12\n${YOLO}`);
  const odd = read(
    "# made\r\n; by hand\r\n[network]\r\n wid th = 3 2\r\nheight=24#rows\r\n\tchannels\t=\t3\r\n\r\n" +
      "[conv]\r\nfilters = 12;or more\r\nactivation = linear\r\n[max]\r\nsize=2\r\nstride=2\r\n" +
      "[convolutional]\r\nfilters=+12\r\n[yolo]\r\nmask = 0, 1 # two\r\nnum=3\r\nanchors = 1,2, 3,4, 5.0,.6e1\r\nclasses=1",
  );
  const bare = ({ layers }: typeof plain) => layers.map((layer) => ({ ...layer, line: 0 }));
  assert.deepEqual(bare(odd), bare(plain));
});

Deno.test("of two equal keys the first counts, with a remark where it matters", () => {
  const { layers, notices } = read(
    `[net]\nbatch=1\nbatch=64\nwidth=32\nwidth=64\nheight=24\nchannels=3\nletter_box=1\n${HEAD}filters=9\n${YOLO}`,
  );
  assert.deepEqual(sizes(layers)[0], [12, 24, 32]);
  assert.deepEqual(notices, [
    'key "letter_box" of [net] is unknown and ignored, as in Darknet',
    "made.cfg: [net], line 5: width is repeated; the first counts, as in Darknet",
    "made.cfg: layer 0 [convolutional], line 12: filters is repeated; the first counts, as in Darknet",
  ]);
});

Deno.test("routes and shortcuts refer to layers before them, absolutely or relatively", () => {
  const { layers } = read(
    `${NET}[conv]\nfilters=4\n[conv]\nfilters=4\n[shortcut]\nfrom=-2\n[shortcut]\nfrom=0\n[route]\nlayers=-1,0, -3\n${YOLO}`,
  );
  const referred = layers.map(({ operation }) => "from" in operation ? operation.from : undefined);
  assert.deepEqual(referred, [undefined, undefined, 0, 0, [3, 0, 1], undefined]);
  assert.deepEqual(layers[4].output.channels, 12);
});

/** What is in the file, and what the message has to name. */
const REFUSED: Record<string, [string, RegExp]> = {
  "nothing": ["", /no section/],
  "only a comment": ["# [net]", /no section/],
  "text before a section": ["width=3\n[net]", /line 1: "width=3" comes before/],
  "another first section": [
    HEAD + NET,
    /\[convolutional\], line 1: the first section must be \[net\]/,
  ],
  "an open bracket": [`${NET}[yolo\n`, /line 5: "\[yolo" is not a section/],
  "a line without =": [`${NET}${HEAD}stride2\n`, /line 8: "stride2" is not key=value/],
  "a key without value": [`${NET}${HEAD}stride=\n`, /line 8: "stride=" is not/],
  "a value without key": [`${NET}${HEAD}=2\n`, /line 8: "=2" is not/],
  "no width": ["[net]\nheight=2\nchannels=3\n", /\[net\], line 1: width is missing/],
  "width 0": [
    "[net]\nwidth=0\nheight=2\nchannels=3\n",
    /line 2: width="0"; write a whole number from 1/,
  ],
  "a huge width": ["[net]\nwidth=2000000000\nheight=2000000000\nchannels=3\n", /too large/],
  "a width over Darknet's int": [
    "[net]\nwidth=4294967297\nheight=2\nchannels=3\n",
    /line 2: width=/,
  ],
  "grey images": ["[net]\nwidth=2\nheight=2\nchannels=1\n", /line 4: channels=1; only 3/],
  "other inputs": [`${NET}inputs=5\n${HEAD}${YOLO}`, /line 5: inputs/],
  "an unknown section": [
    `${NET}[mish]\n`,
    /layer 0 \[mish\], line 5: unsupported section "\[mish\]"/,
  ],
  "a section named like a method": [`${NET}[constructor]\n`, /unsupported section/],
  "a real section that is not supported": [`${NET}[reorg]\n`, /layer 0 \[reorg\]/],
  "another case": [`${NET}[Convolutional]\n`, /unsupported section/],
  "an unknown activation": [
    `${NET}[conv]\nactivation=mish\n`,
    /layer 0 \[conv\], line 6: unknown activation "mish"/,
  ],
  "an activation named like a method": [
    `${NET}[conv]\nactivation=toString\n`,
    /unknown activation/,
  ],
  "an unknown key": [`${NET}[conv]\npaddding=1\n`, /line 6: unknown key "paddding"/],
  "a fraction": [`${NET}[conv]\nfilters=1.5\n`, /line 6: filters="1.5"/],
  "no number": [`${NET}[conv]\nsize=three\n`, /line 6: size="three"/],
  "stride 0": [`${NET}[conv]\nstride=0\n`, /line 6: stride="0"; write a whole number from 1/],
  "groups that do not divide": [
    `${NET}[conv]\nfilters=4\ngroups=2\n`,
    /line 7: groups=2 does not divide 3 channels/,
  ],
  "transposed weights": [`${NET}[conv]\nflipped=1\n`, /line 6: flipped=/],
  "weights left out": [`${NET}[conv]\ndontload=1\n`, /line 6: dontload=/],
  "another Darknet's dilation": [`${NET}[conv]\ndilation=2\n`, /line 6: dilation=/],
  "a filter larger than the map": [
    `${NET}[conv]\nsize=25\n`,
    /windows of 25 do not fit into the map 3×24×32/,
  ],
  "an output of too many values": [
    `${NET}[conv]\nfilters=2000000000\n`,
    /more than 2147483647 values/,
  ],
  "a shortcut without from": [`${NET}[shortcut]\nactivation=linear\n`, /from names no layers/],
  "a shortcut from two": [`${NET}${HEAD}${HEAD}[shortcut]\nfrom=-1,-2\n`, /from names 2 layers/],
  "a shortcut of unequal sizes": [
    `${NET}[conv]\nfilters=4\n[conv]\nfilters=5\n[shortcut]\nfrom=0\n`,
    /line 10: it adds 4×24×32 of layer 0 to 5×24×32/,
  ],
  "a weighted shortcut": [`${NET}${HEAD}${HEAD}[shortcut]\nfrom=0\nalpha=.5\n`, /alpha="?\.5/],
  "a route without layers": [`${NET}${HEAD}[route]\n`, /layers is missing/],
  "a route to itself": [
    `${NET}${HEAD}[route]\nlayers=1\n`,
    /no layer 1 before this one; use -1 … -1 or 0 … 0/,
  ],
  "a route before the first layer": [`${NET}${HEAD}[route]\nlayers=-2\n`, /no layer -2/],
  "a first layer that is a route": [`${NET}[route]\nlayers=-1\n`, /the first layer cannot refer/],
  "a list that ends in a comma": [
    `${NET}${HEAD}[route]\nlayers=-1,\n`,
    /line 9: layers="-1," has the item ""/,
  ],
  "a route of other sizes": [
    `${NET}${HEAD}[maxpool]\nstride=2\n[route]\nlayers=0,1\n`,
    /joins 12×24×32 of layer 0 with 12×12×16 of layer 1/,
  ],
  "a grouped route": [`${NET}${HEAD}[route]\nlayers=0\ngroups=2\ngroup_id=1\n`, /line 10: groups=/],
  "a reversed upsampling": [`${NET}[upsample]\nstride=-2\n`, /line 6: stride="-2"/],
  "pooling windows outside the map": [
    `${NET}[maxpool]\nsize=2\npadding=8\n`,
    /line 7: padding=8 leaves windows/,
  ],
  "no head": [NET + HEAD, /no \[yolo\]/],
  "filters that do not fit the head": [
    `${NET}[conv]\nfilters=13\n${YOLO}`,
    /2·\(1\+5\) = 12 filters .* has 13/,
  ],
  "heads that disagree": [
    `${NET}${HEAD}${YOLO}[route]\nlayers=0\n[conv]\nfilters=14\n${
      YOLO.replace("classes=1", "classes=2")
    }`,
    /layer 4 \[yolo\], line 17: classes=2, but 1/,
  ],
  "a layer that reads a head": [
    `${NET}${HEAD}${YOLO}${HEAD}`,
    /layer 2 \[convolutional\], line 13: it reads a \[yolo\]/,
  ],
  "a route to a head": [`${NET}${HEAD}${YOLO}[route]\nlayers=-1\n`, /layer 1 is a \[yolo\] layer/],
  "too few anchors": [
    `${NET}${HEAD}${YOLO.replace("5,6", "5")}`,
    /anchors has 5 numbers, num=3 needs 6/,
  ],
  "no anchors": [`${NET}${HEAD}${YOLO.replace(/anchors.*\n/, "")}`, /anchors has 0 numbers/],
  "an anchor of no size": [`${NET}${HEAD}${YOLO.replace("5,6", "5,0")}`, /not above 0/],
  "a huge number of anchors": [
    `${NET}${HEAD}${YOLO.replace("num=3", "num=2000000000")}`,
    /num=2000000000 needs/,
  ],
  "a mask outside": [
    `${NET}${HEAD}${YOLO.replace("mask=0,1", "mask=0,3")}`,
    /line 9: mask names anchor 3, num=3; use 0 … 2/,
  ],
  "stretched cells": [`${NET}${HEAD}${YOLO}scale_x_y=1.05\n`, /scale_x_y=/],
};

for (const [what, [text, message]] of Object.entries(REFUSED)) {
  Deno.test(`refused with one line: ${what}`, () => {
    assert.throws(() => read(text), (error: Error) => {
      assert(error instanceof ModelError, `${error.stack}`);
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot (import|read) made\.cfg: [^\n]+$/);
      return true;
    });
  });
}
