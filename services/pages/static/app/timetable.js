// What the timetable does next.

/** @typedef {{time: string, phase: string, trading_date: string}} Change */

/** The next change to another phase than this one; where there is none, the next one: another trading date alone.
 * @param {{next_changes?: Change[]} | null} venue @param {string | undefined} phase @returns {Change | undefined} */
export function nextChange(venue, phase) {
  const changes = venue?.next_changes ?? [];
  return changes.find((change) => change.phase !== phase) ?? changes[0];
}
