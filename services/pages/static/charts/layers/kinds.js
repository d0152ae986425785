// The types of layers. A new one is a module like the others here, and a line below.

import { band } from "./band.js";
import { bars } from "./bars.js";
import { candles } from "./candles.js";
import { area, line, step, stepArea } from "./line.js";
import { marks } from "./marks.js";
import { rule } from "./rule.js";
import { waterfall } from "./waterfall.js";

/** @type {Record<import("../types.js").Layer["type"], import("../types.js").Kind>} */
export const KINDS = { line, step, area, step_area: stepArea, band, bars, candles, waterfall, rule, marks };
