// The overview: the figure, and the way down from it.

import "../app/frame.js";
import { start } from "./data.js";
import "./hero.js";
import "./market.js";
import "./months.js";
import "./products.js";
import "./tape.js";
import "./today.js";
import "./drill/drill.js";

start();
