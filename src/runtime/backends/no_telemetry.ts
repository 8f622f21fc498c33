/**
 * ONNX Runtime's native library sends usage data to its maker over the network and keeps an identifier of the device in the user's
 * cache, unless this variable is set when it is loaded. Deno's permissions do not reach into native code, so this file is imported
 * before the library is.
 *
 * @module
 */

Deno.env.set("ORT_DISABLE_TELEMETRY", "1");
