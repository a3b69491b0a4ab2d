import type { Assets } from "../assets";
import { startPlain } from "./plain";
import type { Python } from "./python";
import { startThawed } from "./thawed";

/** Start Python in this build's way. */
export const startPython: (assets: Assets) => Promise<Python> = PLAIN ? startPlain : startThawed;
