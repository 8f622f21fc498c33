/**
 * The platforms that `deno compile` builds for, and which native files of the npm packages belong to each.
 *
 * @module
 */

/** A platform, under the names that Deno, npm's packages and ONNX Runtime use for it. */
export interface Target {
  /** As `deno compile --target` takes it. */
  readonly triple: string;
  /** As `process.platform` and npm's `os` field say it. */
  readonly os: "linux" | "darwin" | "win32";
  /** As `process.arch` and npm's `cpu` field say it. */
  readonly arch: "x64" | "arm64";
}

/** All targets of `deno compile`. */
export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", os: "linux", arch: "x64" },
  { triple: "aarch64-unknown-linux-gnu", os: "linux", arch: "arm64" },
  { triple: "x86_64-apple-darwin", os: "darwin", arch: "x64" },
  { triple: "aarch64-apple-darwin", os: "darwin", arch: "arm64" },
  { triple: "x86_64-pc-windows-msvc", os: "win32", arch: "x64" },
];

/**
 * The target of a triple, by default the machine this runs on.
 *
 * @throws {RangeError} listing the targets there are.
 */
export function findTarget(triple: string = Deno.build.target): Target {
  const target = TARGETS.find((target) => target.triple === triple);
  if (target) return target;
  const known = TARGETS.map(({ triple }) => triple).join(", ");
  throw new RangeError(`Cannot compile for ${JSON.stringify(triple)}: give one of ${known}`);
}

/** A package with a native library. */
export interface NativePackage {
  readonly name: string;
  /** The packages in which the library's files lie: this one, or separate ones for each platform. */
  readonly packages: readonly string[];
  /** Those files, by their path from `node_modules`. */
  readonly files: RegExp;
}

/**
 * The packages with native libraries on a target: the image library everywhere, and the CPU library where ONNX Runtime has one
 * (there is none for Macs with Intel processors, which run on WebAssembly).
 */
export function nativePackages({ os, arch }: Target): NativePackage[] {
  const sharp: NativePackage = {
    name: "sharp",
    // On Windows the addon's package holds everything.
    packages: [`sharp-${os}-${arch}`, ...os === "win32" ? [] : [`sharp-libvips-${os}-${arch}`]]
      .map((name) => `@img/${name}`),
    files: /\/lib\/[^/]*\.(node|so[.\d]*|dylib|dll)$/,
  };
  if (os === "darwin" && arch === "x64") return [sharp];
  // Of the two names that the library has on a Mac the addon asks for the shorter one. DirectML and the shader compilers beside it
  // on Windows serve GPUs and are loaded when one is asked for; our GPU path is another.
  const library = {
    linux: "libonnxruntime\\.so\\.1",
    darwin: "libonnxruntime\\.1\\.dylib",
    win32: "onnxruntime\\.dll",
  }[os];
  const runtime: NativePackage = {
    name: "onnxruntime-node",
    packages: ["onnxruntime-node"],
    files: new RegExp(`/bin/napi-v\\d+/${os}/${arch}/(onnxruntime_binding\\.node|${library})$`),
  };
  return [sharp, runtime];
}
