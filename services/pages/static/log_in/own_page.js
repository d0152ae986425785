// Where a log-in leads to.

/** @type {Record<string, string>} */
const HOMES = { trader: "/ui/trade/", operator: "/ui/control", admin: "/ui/control", auditor: "/ui/figure" };

/** The page that `next` names, or the home of a role. Only a page of the venue: an address that somebody else made up leads nowhere.
 * @param {string | null} next @param {string | null} role */
export function ownPage(next, role) {
  const home = HOMES[role ?? ""] ?? "/ui/";
  if (!next?.startsWith("/ui/")) return home;
  const { origin, pathname, search, hash } = new URL(next, location.origin);
  return origin === location.origin && pathname.startsWith("/ui/") ? pathname + search + hash : home;
}
