/**
 * Loads the library of the package `sharp`.
 *
 * @module
 */

import { provideLibrary } from "./native_package.ts";

provideLibrary("sharp");
