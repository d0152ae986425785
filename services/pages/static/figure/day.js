// From a trading day to the seq at its end.

import { read } from "../app/api.js";
import { set } from "../app/store.js";
import { change } from "./view.js";

/** Shows the venue as it was after the last command of a trading day. @param {string} date yyyy-mm-dd */
export async function toDay(date) {
  set("travel_trouble", null);
  try {
    const { complete, last_seq } = await read(`/v1/reports/quality/${date}`);
    change({ seq: complete ? last_seq : null, year: Number(date.slice(0, 4)) }, { push: true });
  } catch (error) {
    set("travel_trouble", error instanceof Error ? error.message : String(error));
  }
}
